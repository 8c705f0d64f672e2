"""Relabelling with tables of a round before: what stays, what is replaced, and by which mask."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.geometry.masks import rle_of, rles_to_masks
from stages.methods.kit import Former, Kit
from stages.methods.refiners import relabel
from stages.settings.propose import Propose
from stages.settings.refine import Refine, Zoom
from stages.settings.refiners.relabel import Settings
from stages.settings.select import Select
from stages.tables.checks import validate
from stages.tables.label_scores import LABEL_SCORES
from stages.tables.predictions import PREDICTIONS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.trail import TRAIL
from tests.bag_tables import HEIGHT, ROWS, WIDTH, images, label, labels, mask, proposals, selections
from tests.sound_rows import prediction_row, pseudo_label_row, write_rows

IMAGE = images().to_pylist()[0]
Rows = list[dict[str, Any]]
SIZE = {"height": HEIGHT, "width": WIDTH}
POINT = label(1, 5, x=3.5, y=7.0)
OTHER = label(1, 6, x=60.5, y=7.0)


class Asked:
    """A segmenter that answers each box with the same mask, and remembers the boxes."""

    def __init__(self, answer: bytes):
        self.answer, self.boxes = answer, list[list[float]]()

    def rles(self, image: Any, boxes: np.ndarray, pixels: Any) -> list[bytes]:
        self.boxes += boxes.tolist()
        return [self.answer] * len(boxes)


def former(instance: int, x0: int, x1: int, **changes: Any) -> dict[str, Any]:
    """A label of the round before: a bar from column x0 to x1."""
    row = {"rle": mask(x0, x1), "box": [x0, 5, x1, 15], "category_id": 10, **SIZE}
    return pseudo_label_row(1, instance, **{**row, "extra_rles": [mask(1, 2)], **changes})


def seen(number: int, x0: int, x1: int, score: float, category: int = 10) -> dict[str, Any]:
    """A detection: a bar from column x0 to x1."""
    row = {"category_id": category, "rle": mask(x0, x1), "box": [x0, 5, x1, 15], **SIZE}
    return prediction_row(1, number, score=score, **row)


def made(
    folder: Path,
    before: Rows,
    found: Rows,
    sure: dict[int, float],
    *given: dict[str, Any],
    asked: Asked | None = None,
    **keys: Any,
) -> tuple[Rows, Rows]:
    tables = Former(folder / "labels", folder / "predictions", folder / "scores")
    write_rows(tables.labels, PSEUDO_LABELS, before, shard="0000-of-0001")
    write_rows(tables.predictions, PREDICTIONS, found, shard="0000-of-0001")
    scores = [{"image_id": 1, "instance_id": key, "score": sure[key]} for key in sorted(sure)]
    write_rows(tables.scores, LABEL_SCORES, scores, shard="0000-of-0001")
    settings = Refine(method="relabel", relabel=Settings(**keys), zoom=Zoom(enabled=bool(asked)))
    kit = Kit(folder, (10, 20), Propose(), Select(), settings, former=tables, zoom=asked)  # type: ignore[arg-type]
    refiner = relabel.opened_refiner(kit, lambda: torch.device("cpu"))
    bags = proposals(ROWS[:4])
    rows, trail = refiner.labels(IMAGE, labels(*given), bags, selections([]))
    validate(rows, PSEUDO_LABELS, "here")
    validate(trail, TRAIL, "here")
    return rows.to_pylist(), trail.to_pylist()


def test_without_labels_nothing_is_made(tmp_path: Path) -> None:
    assert made(tmp_path, [], [seen(0, 1, 9, 0.9)], {}) == ([], [])


CASES = [  # detections; how sure of the label; columns of the mask afterwards, note of the label
    ([], 0.2, (2, 12), "", "kept"),
    ([seen(0, 2, 6, 0.9)], 0.2, (2, 6), "", "replaced"),  # surer, and IoU .4
    ([seen(0, 2, 6, 0.9)], 0.95, (2, 12), "", "kept"),  # not surer
    ([seen(0, 2, 11, 0.9)], 0.2, (2, 12), "", "kept"),  # IoU .9: they agree
    ([seen(0, 5, 9, 0.9)], 0.2, (2, 12), "", "kept"),  # does not hold the point
    ([seen(0, 2, 70, 0.9)], 0.2, (2, 12), "", "kept"),  # holds the point of another
    ([seen(0, 2, 6, 0.9, 20)], 0.2, (2, 12), "", "kept"),  # of another class
    ([seen(0, 5, 9, 0.9), seen(1, 1, 6, 0.5)], 0.2, (1, 6), "", "replaced"),
]


@pytest.mark.parametrize(("found", "sure", "columns", "note", "became"), CASES)
def test_a_surer_detection_that_could_be_the_object_replaces_its_label(
    found: Rows, sure: float, columns: tuple[int, int], note: str, became: str, tmp_path: Path
) -> None:
    before = [former(5, 2, 12), former(6, 55, 65)]
    said = {5: sure, 6: 0.5}
    rows, trail = made(tmp_path, before, found, said, POINT, OTHER, rescore="class")
    assert rows[0]["rle"] == mask(*columns)
    assert [step["name"] for step in trail[:3]] == ["label", "detection", "relabel"]
    assert (trail[0]["note"], trail[2]["note"]) == (note, became)
    assert trail[0]["score"] == pytest.approx(sure)
    assert rows[1]["rle"] == mask(55, 65)
    if became == "replaced":
        assert rows[0]["box"] == [columns[0], 5, columns[1], 15]
        assert (rows[0]["mask_source"], rows[0]["proposal_id"]) == ("detector", None)
        assert rows[0]["extra_rles"] == []
        assert rows[0]["score"] == pytest.approx(
            max(one["score"] for one in found if one["box"] == rows[0]["box"])
        )
    else:
        assert {**rows[0], "score": 0.5} == before[0]


def test_a_bad_label_is_replaced_however_sure_it_is(tmp_path: Path) -> None:
    for columns in ((20, 30), (2, 70), (0, 0)):  # misses its point, holds another's, is empty
        before = [former(5, *columns, box=[1, 1, 9, 9]), former(6, 55, 65)]
        found = [seen(0, 2, 12, 0.1)]
        rows, trail = made(tmp_path, before, found, {5: 0.99, 6: 0.5}, POINT, OTHER)
        assert rows[0]["rle"] == mask(2, 12)
        assert (trail[0]["note"], trail[2]["note"]) == ("bad", "replaced")


def test_the_segmenter_is_asked_about_the_box_of_the_detection(tmp_path: Path) -> None:
    before, found = [former(5, 20, 30)], [seen(0, 2, 12, 0.9)]
    good, bad = Asked(mask(3, 13)), Asked(mask(40, 50))
    rows, _ = made(tmp_path, before, found, {5: 0.2}, POINT, asked=good)
    assert good.boxes == [[2, 5, 12, 15]]
    assert (rows[0]["rle"], rows[0]["mask_source"]) == (mask(3, 13), "zoom")
    rows, _ = made(tmp_path, before, found, {5: 0.2}, POINT, asked=bad)
    assert (rows[0]["rle"], rows[0]["mask_source"]) == (mask(2, 12), "detector")
    unasked = Asked(mask(3, 13))
    made(tmp_path, [former(5, 2, 12)], found, {5: 0.2}, POINT, asked=unasked)
    assert unasked.boxes == []  # they agree, so there is no question


def test_the_closest_of_the_bag_may_stand_for_it(tmp_path: Path) -> None:
    found = [seen(0, 2, 12, 0.9)]
    rows, _ = made(tmp_path, [former(5, 20, 30)], found, {5: 0.2}, POINT, mask="proposal")
    # that of slot 1 is the same, and not valid; of slot 0 and 2, each one column beside, the first
    assert (rows[0]["rle"], rows[0]["mask_source"]) == (mask(1, 11), "proposal")


def test_most_of_three_masks_decide_each_pixel(tmp_path: Path) -> None:
    asked = Asked(mask(3, 8))
    before, found = [former(5, 2, 12)], [seen(0, 2, 10, 0.1)]
    rows, _ = made(tmp_path, before, found, {5: 0.9}, POINT, asked=asked, rule="majority")
    voted = rles_to_masks([rle_of(rows[0]["rle"], HEIGHT, WIDTH)])[0]
    assert np.flatnonzero(voted[5]).tolist() == list(range(2, 10))
    assert rows[0]["mask_source"] == "vote"


def test_three_masks_without_a_common_pixel_leave_the_box(tmp_path: Path) -> None:
    before = [former(-1, 2, 12, label_ids=[9], box=[1, 2, 30, 31])]
    asked = Asked(mask(12, 13))
    found = [seen(0, 11, 16, 0.9)]
    rows, _ = made(
        tmp_path,
        before,
        found,
        {-1: 0.2},
        label(1, 9, "tag"),
        asked=asked,
        rule="majority",
        near=0.0,
    )
    assert rows[0]["box"] == [11, 5, 13, 15]
    before = [former(-1, 2, 9, label_ids=[9], box=[1, 2, 30, 31])]
    asked = Asked(mask(30, 40))
    rows, _ = made(
        tmp_path,
        before,
        found,
        {-1: 0.2},
        label(1, 9, "tag"),
        asked=asked,
        rule="majority",
        near=0.0,
    )
    assert (rows[0]["rle"], rows[0]["box"]) == (mask(0, 0), [1, 2, 30, 31])


def test_a_given_box_stays_and_says_what_fits(tmp_path: Path) -> None:
    box = label(1, 5, "box", box=[2.0, 5.0, 12.0, 15.0])
    before = [former(5, 2, 30, box=[2, 5, 12, 15], box_given=True)]
    found = [seen(0, 20, 30, 0.9), seen(1, 3, 12, 0.4)]
    rows, trail = made(tmp_path, before, found, {5: 0.8}, box)
    assert rows[0]["rle"] == mask(3, 12)
    assert (rows[0]["box"], rows[0]["box_given"]) == ([2, 5, 12, 15], True)
    assert trail[0]["note"] == "bad"  # its hull is not the box


def test_what_a_tag_bore_is_judged_by_its_label(tmp_path: Path) -> None:
    tag = label(1, 9, "tag")
    before = [former(-1, 2, 12, label_ids=[9])]
    found = [seen(0, 60, 70, 0.9), seen(1, 2, 7, 0.6)]
    rows, _ = made(tmp_path, before, found, {-1: 0.2}, tag)
    assert (rows[0]["instance_id"], rows[0]["rle"]) == (-1, mask(2, 7))


def test_given_masks_are_no_business_of_the_refiner(tmp_path: Path) -> None:
    before = [former(5, 2, 12, mask_source="given"), former(6, 55, 65)]
    rows, _ = made(tmp_path, before, [seen(0, 2, 6, 0.9)], {5: 0.1, 6: 0.5}, POINT, OTHER)
    assert [row["instance_id"] for row in rows] == [6]


SCORES = [  # rule of scores; detections; score afterwards of a label of IoU .8 or .4 with them
    ("none", [], 0.5),
    ("none", [seen(0, 2, 10, 0.9)], 0.5),
    ("class", [], 0.95),
    ("class", [seen(0, 2, 10, 0.9)], 0.95),
    ("agreement", [seen(0, 2, 10, 0.9)], 0.95 * 0.8 * 0.8),
    ("agreement", [seen(0, 2, 6, 0.9)], 0.95 * 0.4 * 0.4),  # less sure: the label stays
    ("agreement", [seen(0, 2, 6, 0.99)], 0.99 * 0.4 * 1.0),  # replaces it
    ("agreement", [], 0.95 * 0.05 * 0.05),
]


@pytest.mark.parametrize(("rule", "found", "score"), SCORES)
def test_a_score_tells_how_sure_the_detector_is_and_how_far_both_agree(
    rule: str, found: Rows, score: float, tmp_path: Path
) -> None:
    rows, _ = made(tmp_path, [former(5, 2, 12)], found, {5: 0.95}, POINT, rescore=rule)
    assert rows[0]["score"] == pytest.approx(score)
