"""Detections of an image's tags, from rows of the tables."""

from typing import Any

import pytest

from stages.methods.detections import detections_of
from tests.bag_tables import images, label, labels
from tests.tag_tables import tag_proposals, tag_scores

IMAGE = images().to_pylist()[0]
BOXES = [(0, 0, 20, 20), (30, 5, 60, 35), (0, 0, 22, 20)]
TAG, OTHER = label(1, 5, "tag"), label(1, 6, "tag", category_id=20)


def found(*rows: dict[str, Any], **scores: Any) -> dict[int, list[int]]:
    """Numbers of the detections, by class."""
    table = tag_scores({10: [0.9, 0.5, 0.3], 20: [0.1, 0.8, 0.2]}, **scores)
    detections = detections_of(IMAGE, labels(*rows), tag_proposals(BOXES), table)
    return {one.category_id: one.proposal_id.tolist() for one in detections}


def test_an_image_without_tags_has_none() -> None:
    assert detections_of(IMAGE, labels(), tag_proposals(()), tag_scores({})) == []


def test_each_tag_has_its_own_survivors() -> None:
    assert found(TAG, OTHER, dropped=[(10, 2), (20, 0)]) == {10: [0, 1], 20: [1, 2]}


def test_a_deleted_tag_has_none() -> None:
    assert list(found(TAG, {**OTHER, "status": "deleted"})) == [10]


@pytest.mark.parametrize("status", ["given", "corrected", "deleted"])
def test_what_lies_on_a_known_mask_of_the_class_says_nothing_new(status: str) -> None:
    known = label(1, 9, "mask", box=[0.0, 0.0, 21.0, 20.0], status=status)
    assert found(TAG, OTHER, known) == {10: [1], 20: [0, 1, 2]}


def test_a_method_may_move_boxes_but_not_out_of_the_image() -> None:
    table = tag_scores({10: [0.9, 0.5, 0.3]}, boxes={(10, 1): (28, -4, 130, 30)})
    (one,) = detections_of(IMAGE, labels(TAG), tag_proposals(BOXES), table)
    assert one.boxes.tolist() == [[0, 0, 20, 20], [28, 0, 100, 30], [0, 0, 22, 20]]
    assert one.scores.tolist() == pytest.approx([0.9, 0.5, 0.3])
    assert (one.label_id, one.bag_score) == (5, 0.5)


def test_an_empty_proposal_is_no_detection() -> None:
    empty = tag_proposals(BOXES, valid=False)
    (one,) = detections_of(IMAGE, labels(TAG), empty, tag_scores({10: [0.9, 0.5, 0.3]}))
    assert len(one.boxes) == 0


@pytest.mark.parametrize("scores", [{10: [0.9, 0.5]}, {20: [0.9, 0.5, 0.3]}], ids=["cut", "none"])
def test_scores_with_a_threshold_are_refused(scores: dict[int, list[float]]) -> None:
    with pytest.raises(ValueError, match=r"image 1: select has scores of \d of 3 proposals"):
        detections_of(IMAGE, labels(TAG), tag_proposals(BOXES), tag_scores(scores))
