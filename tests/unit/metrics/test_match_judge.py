"""What an image without this or that is counted for, and what stays unmeasured."""

from dataclasses import replace

import numpy as np
import pytest

from stages.metrics.match_judge import TAG_COUNTS, Detections, MatchJudge
from stages.metrics.shapes import no_shapes
from tests.matched import drawn_image, matched, rectangles

SUMMARIES = ("label_match", "proposals", "wsod", "tags")


def test_without_images_nothing_is_measured() -> None:
    assert MatchJudge(is_masked=True).summary() == dict.fromkeys(SUMMARIES)


@pytest.mark.parametrize(
    ("change", "absent"),
    [
        ({}, []),
        ({"labels": None}, ["label_match"]),
        ({"proposals": None, "detections": None}, ["proposals", "wsod"]),
        ({"objects": None, "ignored": None}, ["label_match", "proposals", "wsod"]),
        ({"tags": set(), "detections": None}, ["wsod", "tags"]),
    ],
    ids=["everything", "no labels", "no tables", "no truth", "no tags"],
)
def test_what_is_not_given_is_not_measured(change: dict[str, object], absent: list[str]) -> None:
    judge = MatchJudge(is_masked=True)
    judge.image(replace(drawn_image(0, 2), **change))  # type: ignore[arg-type]
    seen = judge.summary()
    assert [name for name in SUMMARIES if seen[name] is None] == absent


def test_labels_beside_their_objects_have_the_iou_of_the_shift() -> None:
    seen = matched(0, 2)["label_match"]
    assert seen["masks"]["label_iou"] == pytest.approx(16 / 20)
    assert seen["masks"]["matched"] == seen["masks"]["labels"] == 12
    assert seen["boxes"]["label_iou"] == pytest.approx(seen["masks"]["label_iou"])
    assert matched(0, 10)["label_match"]["masks"]["f1"] == 0  # 8 of 28


def test_tags_and_labels_and_objects_that_do_not_go_together_are_counted() -> None:
    image = drawn_image(1, 0)
    assert image.labels is not None
    judge = MatchJudge(is_masked=True)
    judge.image(replace(image, tags={3, 5}))
    judge.image(replace(image, tags={3, 8}, labels=image.labels.of_class(8)))
    seen = judge.summary()["tags"]
    assert seen == dict(zip(TAG_COUNTS, (4, 2, 2, 1, 2), strict=True))
    assert judge.summary()["wsod"]["corloc"]["n"] == 3  # the tag without an object is not judged


def test_the_two_branch_head_is_judged_by_the_proposals_own_boxes() -> None:
    image = drawn_image(2, 0)
    assert image.objects is not None
    goals = image.objects.of_class(3)
    boxes = np.concatenate([goals.boxes[:1], goals.boxes[:1]])
    found = rectangles(boxes, np.array([3, 3]), np.array([0.9, 0.1]))
    own = np.array([[60.0, 60, 63, 63], goals.boxes[0]])
    for first, share in ((0.9, 0.0), (0.0, 1.0)):
        judge = MatchJudge(is_masked=True)
        taken = np.array([True, False])
        detections = Detections(found, own, np.array([first, 0.5]), taken)
        judge.image(replace(image, tags={3}, detections=detections))
        wsod = judge.summary()["wsod"]
        assert wsod["corloc"]["corloc"] == 1
        assert wsod["corloc_two_branch"]["corloc"] == share
        assert wsod["ap50"]["detections"] == 1


def test_an_image_whose_bag_is_empty_is_a_miss_of_both_heads() -> None:
    image = drawn_image(3, 0)
    nothing = Detections(no_shapes(), np.zeros((0, 4)), np.zeros(0), np.zeros(0, dtype=bool))
    judge = MatchJudge(is_masked=True)
    judge.image(image)
    judge.image(replace(image, detections=nothing, proposals=np.zeros((0, 4))))
    wsod = judge.summary()["wsod"]
    for head in ("corloc", "corloc_two_branch"):
        assert (wsod[head]["n"], wsod[head]["without_box"]) == (4, 2)
    assert judge.summary()["proposals"]["images_without"] == 1


def test_without_masks_boxes_alone_are_matched_and_no_score_is_judged() -> None:
    judge = MatchJudge(is_masked=False)
    judge.image(drawn_image(4, 2))
    seen = judge.summary()["label_match"]
    assert seen["masks"] is None
    assert seen["boxes"]["matched"] == 4
    assert sum(seen["iou_histogram"]["n"]) == 0
