"""Labels as they are taken: crowds by a key, and coordinates in px."""

from collections import Counter
from typing import Any

import pytest

from stages.formats.format import Label
from stages.formats.mask_forms import BrushRuns
from stages.formats.standing import in_px, standing

ONE = Label(1, 1, 1)
CROWD = Label(2, 1, 1, is_crowd=True)
POINTED = Label(3, 1, 1, point=(0.5, 0.5), is_crowd=True)


@pytest.mark.parametrize("crowds", ["pointed", "none", "all"])
def test_no_labels_are_none(crowds: str) -> None:
    counts = Counter[str]()
    assert standing([], crowds, counts) == []
    assert not counts


@pytest.mark.parametrize(
    ("crowds", "kept", "counted"),
    [
        ("pointed", [1, 3], {"crowds_kept": 1, "crowds_left_out": 1}),
        ("none", [1], {"crowds_left_out": 2}),
        ("all", [1, 2, 3], {"crowds_kept": 2}),
    ],
)
def test_crowds_stand_for_one_object_by_a_key(
    crowds: str, kept: list[int], counted: dict[str, int]
) -> None:
    counts = Counter[str]()
    assert [label.id for label in standing([ONE, CROWD, POINTED], crowds, counts)] == kept
    assert counts == counted


SHARES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"point": (0.5, 0.25)}, {"point": (80, 30)}),
    ({"box": (0, 0, 1, 1)}, {"box": (0, 0, 160, 120)}),
    ({"mask": [[0, 0, 1, 0, 1, 1], [0.5] * 6]}, {"mask": [[0, 0, 160, 0, 160, 120], [80, 60] * 3]}),
]


@pytest.mark.parametrize(("shares", "px"), SHARES, ids=["tag", "point", "box", "mask"])
def test_shares_of_the_sides_become_px(shares: dict[str, Any], px: dict[str, Any]) -> None:
    relative = Label(1, 1, 1, is_relative=True, **shares)
    assert in_px(relative, 160, 120) == Label(1, 1, 1, **px)
    assert in_px(in_px(relative, 160, 120), 160, 120) == Label(1, 1, 1, **px)


def test_px_stay_what_they_are() -> None:
    label = Label(1, 1, 1, point=(0.5, 0.5), mask=BrushRuns(b"", 160, 120))
    assert in_px(label, 160, 120) is label
