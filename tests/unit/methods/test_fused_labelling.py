"""Rows of corrected masks by hand: parts go to their place, and the trail tells why."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from stages.box_supervision.fusion import Decided
from stages.geometry.masks import rle_of, rles_to_masks
from stages.learning.teacher_pixels import TaughtObject
from stages.methods.fused_labelling import Corrected, corrected_rows
from stages.tables.checks import validate
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.trail import TRAIL
from tests.bag_tables import HEIGHT, WIDTH, images, label, labels

IMAGE = images().to_pylist()[0]
LABELS = labels(label(1, 5, "box"), label(1, 6, instance_id=5, bag_id=5))  # a box and a point
SIZE = 16, 20  # px of the part: rows 20 to 36, columns 10 to 30


def corrected(
    *,
    sure: int = 3,
    unsure: int = 2,
    trusted: bool = True,
    mapped: bool = True,
    chance: float = 0.9,
) -> Corrected:
    """The first columns of the part are foreground, the next undecided."""
    foreground, undecided = np.zeros(SIZE, dtype=bool), np.zeros(SIZE, dtype=bool)
    foreground[:, :sure] = True
    undecided[:, sure : sure + unsure] = True
    chances = np.full(SIZE, chance, dtype=np.float32)
    proposal = {"proposal_id": 2, "box": [11.0, 21, 29, 35], "predicted_iou": 0.25}
    box, part = np.array([10.0, 20, 30, 36]), (slice(20, 36), slice(10, 30))
    one = TaughtObject(5, 10, box, True, part, chances, proposal)
    semantic = np.full(SIZE, 0.75) if mapped else None
    mask = Decided(foreground, undecided)
    return Corrected(one, semantic, mask, 0.72, 0.9 if sure else 0.0, trusted)


def rows(*found: Corrected) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    tables: tuple[pa.Table, pa.Table] = corrected_rows(IMAGE, LABELS, found)
    validate(tables[0], PSEUDO_LABELS, "here")
    validate(tables[1], TRAIL, "here")
    return tables[0].to_pylist(), tables[1].to_pylist()


def test_no_object_no_row() -> None:
    assert rows() == ([], [])


def test_a_part_goes_to_its_place() -> None:
    ((row,), _) = rows(corrected())
    masks = rles_to_masks([rle_of(row[name], HEIGHT, WIDTH) for name in ("rle", "ignore_rle")])
    assert masks[0].sum() == masks[0][20:36, 10:13].sum() == 48
    assert masks[1].sum() == masks[1][20:36, 13:15].sum() == 32
    assert row["label_ids"] == [5, 6]
    assert (row["category_id"], row["box"], row["box_given"]) == (10, [10, 20, 30, 36], True)
    assert row["score"] == row["mask_quality"] == pytest.approx(0.9)
    assert (row["mask_source"], row["proposal_id"], row["mask_weight"]) == ("fused", 2, 1)


def test_where_all_is_decided_nothing_is_ignored() -> None:
    ((row,), _) = rows(corrected(unsure=0))
    assert row["ignore_rle"] is None


@pytest.mark.parametrize(
    ("changes", "notes", "boxes"),
    [
        ({}, ["", "", ""], [[11, 21, 29, 35], None, [10, 20, 13, 36]]),
        (
            {"mapped": False},
            ["", "no map", ""],
            [[11, 21, 29, 35], None, [10, 20, 13, 36]],
        ),
        (
            {"trusted": False},
            ["", "", "low score"],
            [[11, 21, 29, 35], None, [10, 20, 13, 36]],
        ),
        ({"sure": 0, "trusted": False}, ["", "", "empty"], [[11, 21, 29, 35], None, None]),
        (
            {"sure": 0, "trusted": False, "mapped": False, "chance": 0.0},
            ["no positive", "", "empty"],
            [None, None, None],
        ),
    ],
    ids=["sound", "no map", "low score", "empty", "no positive"],
)
def test_the_trail(changes: dict[str, Any], notes: list[str], boxes: list[Any]) -> None:
    ((row,), trail) = rows(corrected(**changes))
    assert [step["name"] for step in trail] == ["teacher", "semantic", "fused"]
    assert [step["note"] for step in trail] == notes
    assert [step["box"] for step in trail] == boxes
    assert [step["proposal_id"] for step in trail] == [2, None, None]
    mean = None if changes.get("mapped") is False else 0.75
    assert [step["score"] for step in trail] == pytest.approx([0.25, mean, 0.72])
    assert row["mask_weight"] == float(changes.get("trusted", True))
