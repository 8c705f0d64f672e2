"""Labels as COCO annotations: what each kind becomes, what is counted, and what is a fault."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from stages.formats.coco_truth import BARE, EMPTY, NUMBER, Truths
from stages.formats.format import Label
from stages.formats.mask_forms import RowRuns
from stages.runtime.faults import Faults

IMAGES = {7: {"height": 6, "width": 8}, 9: {"height": 60, "width": 80}}
SQUARE = [[2.0, 1.0, 5.0, 1.0, 5.0, 3.0, 2.0, 3.0]]
BOX = (1.5, 1.0, 5.5, 4.0)


def label(number: int = 0, image_id: int = 7, **values: Any) -> Label:
    return Label(number, image_id, 3, place=f"line {number + 1}", **values)


def truths(
    labels: Sequence[Label], *, has_ids: bool = False
) -> tuple[list[dict[str, Any]], Truths, Faults]:
    faults = Faults()
    made = Truths(has_ids=has_ids, faults=faults)
    return list(made.annotations(labels, IMAGES)), made, faults


def test_no_labels_give_no_annotations() -> None:
    annotations, made, faults = truths([])
    assert (annotations, made.written, dict(made.left_out), len(faults)) == ([], 0, {}, 0)


KINDS: dict[str, tuple[dict[str, Any], Any]] = {
    "box": ({"box": BOX}, ([1.5, 1, 4, 3], 12, 0)),
    "box and point": ({"box": BOX, "point": (2, 2)}, ([1.5, 1, 4, 3], 12, 0)),
    "polygons": ({"mask": SQUARE}, ([2, 1, 3, 2], 6, 6)),
    "polygons and a box": ({"mask": SQUARE, "box": BOX}, ([1.5, 1, 4, 3], 6, 6)),
    "runs": ({"mask": RowRuns((0, 4), 3, 2, 2, 2)}, ([3, 2, 2, 2], 4, 4)),
    "shares": ({"box": (0, 0, 0.5, 1), "is_relative": True}, ([0, 0, 4, 6], 24, 0)),
    "shares of a mask": (
        {"mask": [[0, 0, 0.5, 0, 0.5, 1, 0, 1]], "is_relative": True},
        ([0, 0, 4, 6], 24, 24),
    ),
}


@pytest.mark.parametrize(("values", "expected"), KINDS.values(), ids=KINDS.keys())
def test_each_kind_of_label_becomes_an_annotation(values: dict[str, Any], expected: Any) -> None:
    ((found,), _, faults) = truths([label(**values)])
    box, area, pixels = expected
    faults.check()
    assert (found["image_id"], found["category_id"], found["iscrowd"]) == (7, 3, 0)
    assert (found["bbox"], found["area"]) == (box, area)
    assert ("segmentation" in found) == bool(pixels)
    if pixels:
        mask = coco_mask.decode(found["segmentation"])
        assert mask.shape == (6, 8)
        assert int(np.sum(mask)) == pixels


def test_labels_without_ids_are_numbered_from_1_and_known_by_their_number() -> None:
    labels = [label(0, box=BOX), label(1, point=(1, 1)), label(2, box=BOX), label(0, 9, box=BOX)]
    annotations, made, _ = truths(labels)
    assert [(a["id"], a["image_id"], a[NUMBER]) for a in annotations] == [
        (1, 7, 0),
        (2, 7, 2),
        (3, 9, 0),
    ]
    assert made.written == 3


def test_ids_of_the_file_stay() -> None:
    annotations, _, _ = truths([label(40, box=BOX), label(12, box=BOX)], has_ids=True)
    assert [annotation["id"] for annotation in annotations] == [40, 12]
    assert not any(NUMBER in annotation for annotation in annotations)


def test_crowds_stay_crowds() -> None:
    annotations, _, _ = truths([label(mask=SQUARE, is_crowd=True), label(1, mask=SQUARE)])
    assert [annotation["iscrowd"] for annotation in annotations] == [1, 0]


def test_labels_without_a_shape_or_a_photograph_are_left_out() -> None:
    thin = [[1.2, 1.2, 1.4, 1.2, 1.4, 1.4]]
    labels = [
        label(0),
        label(1, point=(1, 1)),
        label(2, mask=thin),
        label(3, mask=thin, box=BOX),
        label(4, 8, box=BOX),  # its photograph was skipped
    ]
    annotations, made, faults = truths(labels)
    assert annotations == []
    assert dict(made.left_out) == {BARE: 2, EMPTY: 2}
    assert len(faults) == 0


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "polygons outside": ({"mask": [[9, 1, 11, 1, 11, 3]]}, "line 1: its polygons lie wholly"),
    "runs that do not fit": ({"mask": RowRuns((1,), 0, 0, 2, 2)}, "line 1: its runs cover 1 px"),
    "a bad mask beside a box": ({"mask": {"size": 3, "counts": 1}, "box": BOX}, "line 1: RLE of"),
    "a box turned inside out": ({"box": (5, 1, 2, 3)}, r"line 1: its box \(5, 1, 2, 3\) has no"),
    "a box without an area": ({"box": (5, 1, 5, 3)}, "line 1: its box .* has no area"),
    "such a box of a mask": ({"mask": SQUARE, "box": (5, 1, 2, 3)}, "its box .* has no area"),
    "a box that is not finite": ({"box": (0, 0, math.inf, 3)}, "its box .* has no area"),
    "a box of NaN": ({"box": (math.nan, 0, 4, 3)}, "its box .* has no area"),
    "a box too large for a number": ({"box": (-1e308, 0, 1e308, 3)}, "its box .* has no area"),
}


@pytest.mark.parametrize(("values", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_a_shape_that_is_none_is_a_fault_at_its_place(values: dict[str, Any], said: str) -> None:
    annotations, made, faults = truths([label(**values), label(1, box=BOX)])
    assert [annotation[NUMBER] for annotation in annotations] == [1]
    assert made.written == annotations[0]["id"] == 1
    with pytest.raises(ValueError, match=said):
        faults.check()
