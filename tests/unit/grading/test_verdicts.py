"""Grades of the labels of an image: who is asked, and what speaks against a label."""

import numpy as np
import pytest

from stages.geometry.masks import masks_to_rles
from stages.grading.additive import Additive, Curve
from stages.grading.grader_file import Grader
from stages.grading.verdicts import grades_of
from tests.sound_rows import Row, label_row, proposal_row, pseudo_label_row, selection_row

FALLING = Curve(np.array([0.0, 1.0]), np.array([-2.0, 0.0]), 0.0)
FLAT = Additive({}, 0.0)
SPREAD = Grader(FLAT, Additive({"spread": FALLING, "depth": FALLING}, 0.0))


def _image() -> tuple[list[Row], list[Row], list[Row], list[Row]]:
    """A label, and a bag in which the other mask is half of it."""
    masks = np.zeros((2, 4, 6), dtype=np.uint8)
    masks[0], masks[1, :2] = 1, 1
    half = masks_to_rles(masks)[1]["counts"]
    bags = [proposal_row(1, 3, 0), proposal_row(1, 3, 1, rle=half)]
    return [pseudo_label_row()], [label_row()], bags, [selection_row(1, 3, k) for k in (0, 1)]


def test_no_labels_have_no_grades() -> None:
    assert len(grades_of({"point": SPREAD}, [], [], [], [])) == 0


def test_a_grader_says_how_good_a_label_is_and_why_not_better() -> None:
    """The masks of the bag have IoU 1 and 1/2 with it, so that `spread` is 3/4: -0.5."""
    [row] = grades_of({"point": SPREAD}, *_image()).to_pylist()
    assert row["kind"] == "point"
    assert row["score"] == 0.5
    assert row["mask_quality"] < 1 / (1 + np.exp(0.5)) + 1e-6
    assert "spread" in row["reasons"]
    assert row["spread"] == 0.75


def test_the_methods_own_scores_are_taken_over_without_a_grader() -> None:
    [row] = grades_of(None, *_image()).to_pylist()
    assert (row["score"], row["mask_quality"], row["reasons"]) == (0.5, 0.75, [])
    assert row["spread"] == 0.75  # evidence is there all the same


@pytest.mark.parametrize("graders", [None, {"point": SPREAD}], ids=["own", "additive"])
def test_a_mask_that_a_person_gave_is_certain(graders: dict[str, Grader] | None) -> None:
    given = pseudo_label_row(mask_source="given", proposal_id=None)
    [row] = grades_of(graders, [given], [label_row()], [], []).to_pylist()
    assert (row["kind"], row["score"], row["mask_quality"]) == ("mask", 1.0, 1.0)


def test_an_empty_mask_is_worth_nothing() -> None:
    nothing = masks_to_rles(np.zeros((1, 4, 6), dtype=np.uint8))[0]["counts"]
    labels, weak, bags, scores = _image()
    empty = [{**labels[0], "rle": nothing}]
    [row] = grades_of({"point": SPREAD}, empty, weak, bags, scores).to_pylist()
    assert (row["score"], row["mask_quality"]) == (0.0, 0.0)


def test_a_kind_without_a_grader_is_named() -> None:
    with pytest.raises(ValueError, match="image 1: a label of kind point, for which the grader"):
        grades_of({"box": SPREAD}, *_image())
