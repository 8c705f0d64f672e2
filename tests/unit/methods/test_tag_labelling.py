"""From chosen detections to pseudo-labels: ids, scores and masks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.geometry.masks import rle_areas, rle_boxes, rle_of
from stages.methods.kit import Kit
from stages.methods.tag_labelling import Chosen, TagLabeller, filled
from stages.segmenters.box_asking import Boxed
from stages.settings.propose import Propose
from stages.settings.refine import Refine
from stages.settings.select import Select
from stages.tables.checks import validate
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.trail import TRAIL
from tests.bag_tables import HEIGHT, WIDTH, images
from tests.tag_tables import bar, tag_proposals

IMAGE = images().to_pylist()[0]
BOXES = [(0, 0, 20, 20), (30, 5, 60, 35), (70, 10, 90, 30)]
Rows = list[dict[str, Any]]


class Asked:
    """Answers boxes with these, and remembers what it was asked."""

    def __init__(self, *answers: bytes):
        self.answers, self.boxes = answers, np.zeros((0, 4))

    def masks(self, image: Any, boxes: np.ndarray, pixels: Any) -> list[Boxed]:
        self.boxes = boxes
        return [Boxed(rle_of(counts, HEIGHT, WIDTH), 0.75) for counts in self.answers]

    def rles(self, image: Any, boxes: np.ndarray, pixels: Any) -> list[bytes]:
        self.boxes = boxes
        return [*self.answers]


def chosen(number: int, category_id: int, **more: Any) -> Chosen:
    values = {"label_id": 5, "score": 0.25, "normalised": 1.0, "bag_score": 0.5, **more}
    box = np.array(BOXES[number], dtype=np.float64)
    return Chosen(category_id=category_id, proposal_id=number, **{"box": box, **values})


def labelled(
    folder: Path, *ones: Chosen, on_empty: str = "box", **askers: Any
) -> tuple[Rows, Rows]:
    block = {"mask_source": "proposal", "on_empty": on_empty}
    refine = Refine.model_validate({"method": "adaptive_pgt", "adaptive_pgt": block})
    kit = Kit(folder, (10, 20), Propose(), Select(), refine=refine, **askers)
    rows, trail = TagLabeller(kit).rows(IMAGE, tag_proposals(BOXES), ones)
    validate(rows, PSEUDO_LABELS, "here")
    validate(trail, TRAIL, "here")
    return rows.to_pylist(), trail.to_pylist()


def test_nothing_chosen_is_no_row(tmp_path: Path) -> None:
    assert labelled(tmp_path) == ([], [])


def test_objects_are_numbered_from_minus_one_in_the_order_of_choice(tmp_path: Path) -> None:
    rows, trail = labelled(tmp_path, chosen(1, 10), chosen(0, 10, normalised=0.4), chosen(2, 20))
    assert [row["instance_id"] for row in rows] == [-3, -2, -1]
    assert [row["proposal_id"] for row in rows] == [2, 0, 1]
    assert [row["category_id"] for row in rows] == [20, 10, 10]
    assert [row["score"] for row in rows] == pytest.approx([0.5, 0.2, 0.5])
    assert [row["rle"] for row in rows] == [bar(BOXES[number]) for number in (2, 0, 1)]
    steps = [(step["instance_id"], step["name"], step["score"]) for step in trail[-2:]]
    assert steps == [(-1, "wsod", 0.25), (-1, "pgt", 1.0)]


def test_the_mask_of_the_proposal_has_its_quality(tmp_path: Path) -> None:
    ((row,), _) = labelled(tmp_path, chosen(1, 10))
    assert (row["mask_source"], row["label_ids"], row["box_given"]) == ("proposal", [5], False)
    assert row["mask_quality"] == pytest.approx(0.89)


def test_the_segmenter_is_asked_with_all_boxes_at_once(tmp_path: Path) -> None:
    asker = Asked(bar((1, 1, 20, 20)), bar((30, 5, 58, 35)))
    rows, _ = labelled(tmp_path, chosen(0, 10), chosen(1, 20), boxes=asker)
    assert asker.boxes.tolist() == [list(BOXES[0]), list(BOXES[1])]
    assert {row["mask_source"] for row in rows} == {"box_prompt"}
    assert [row["rle"] for row in rows] == [*reversed(asker.answers)]
    assert [row["box"] for row in rows] == [list(BOXES[1]), list(BOXES[0])]  # the box stays
    assert {row["mask_quality"] for row in rows} == {0.75}


@pytest.mark.parametrize("counts", [bar((0, 0, 0, 0)), bar((60, 20, 64, 24))], ids=["empty", "far"])
def test_an_answer_about_something_else_is_filled_or_dropped(counts: bytes, tmp_path: Path) -> None:
    ((row,), _) = labelled(tmp_path, chosen(0, 10), boxes=Asked(counts))
    assert (row["mask_source"], row["rle"], row["mask_quality"]) == ("box", bar(BOXES[0]), 0)
    asker = Asked(counts, bar(BOXES[1]))
    rows, trail = labelled(tmp_path, chosen(0, 10), chosen(1, 10), boxes=asker, on_empty="drop")
    assert [(row["instance_id"], row["proposal_id"]) for row in rows] == [(-1, 1)]
    assert {step["instance_id"] for step in trail} == {-1}


def test_close_up_goes_before_a_box(tmp_path: Path) -> None:
    boxes = Asked()
    ((row,), _) = labelled(tmp_path, chosen(1, 10), zoom=Asked(bar((31, 6, 59, 34))), boxes=boxes)
    assert (row["mask_source"], row["rle"]) == ("zoom", bar((31, 6, 59, 34)))
    assert row["mask_quality"] == pytest.approx(0.89)


def test_a_filled_box_covers_all_pixels_that_it_touches() -> None:
    rle = filled(np.array([1.2, 2.0, 3.1, 4.9]), HEIGHT, WIDTH)
    assert rle_boxes([rle])[0].tolist() == [1, 2, 4, 5]
    assert rle_areas([rle])[0] == 9
