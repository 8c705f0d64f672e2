"""Given masks become pseudo-labels byte for byte."""

from typing import Any

import pytest

from stages.labels.given import given_masks
from tests.bag_tables import images, label, labels, mask

IMAGE = images().to_pylist()[0]


def made(*rows: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    found, trail = given_masks(IMAGE, labels(*rows))
    return found.to_pylist(), trail.to_pylist()


def test_no_mask_gives_no_row() -> None:
    assert made() == ([], [])
    assert made(label(1, 5), label(1, 6, "box"), label(1, 7, "tag")) == ([], [])
    assert made(label(1, 5, "mask", status="deleted")) == ([], [])


def test_a_mask_passes_through_with_its_hull() -> None:
    [row], [step] = made(label(1, 5, "mask"), label(1, 6))
    assert row["rle"] == mask(5, 9)
    assert (row["instance_id"], row["label_ids"], row["category_id"]) == (5, [5], 10)
    assert (row["box"], row["box_given"]) == ([5, 5, 9, 15], False)
    assert (row["mask_source"], row["proposal_id"]) == ("given", None)
    assert [row[name] for name in ("score", "mask_quality", "mask_weight")] == [1, 1, 1]
    assert (row["extra_rles"], row["ignore_rle"]) == ([], None)
    assert (row["height"], row["width"]) == (40, 100)
    assert (step["step"], step["name"], step["box"]) == (0, "given", [5, 5, 9, 15])
    assert (step["proposal_id"], step["score"], step["note"]) == (None, None, "")


OWN = {"instance_id": 5, "bag_id": 5}
SEVERAL = [
    ("the later one", ("given", "given"), 7),
    ("the corrected one", ("corrected", "given"), 6),
    ("the accepted one", ("accepted", "given"), 6),
    ("the corrected one before the accepted", ("corrected", "accepted"), 6),
    ("the one that is not deleted", ("given", "deleted"), 6),
]


@pytest.mark.parametrize(("status", "wins"), [s[1:] for s in SEVERAL], ids=[s[0] for s in SEVERAL])
def test_of_several_masks_of_an_object_one_counts(status: tuple[str, str], wins: int) -> None:
    rows = [
        label(1, number, "mask", **OWN, status=word, rle=mask(number, 20))
        for number, word in zip((6, 7), status, strict=True)
    ]
    [row], [_] = made(label(1, 5), *rows)
    assert row["rle"] == mask(wins, 20)
    assert row["label_ids"] == [
        5,
        *(k for k, w in zip((6, 7), status, strict=True) if w != "deleted"),
    ]
