"""Pasting: the authors' arithmetic, who may be pasted, and boxes under what is pasted."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.box_supervision.pasting import (
    drawn,
    fitted,
    hulls,
    pastable,
    paste_chances,
    paste_number,
    tightened,
)

CASE = json.loads((Path(__file__).parents[2] / "golden" / "boxes.json").read_text())["copy_paste"]
PAPER: dict[str, Any] = {"share": 0.25, "most": 3, "power": 3.0}


def rows_to_masks(rows: list[list[str]]) -> np.ndarray:
    return np.array([[list(map(int, line)) for line in mask] for mask in rows], dtype=np.uint8)


@pytest.mark.parametrize(("share", "name"), [(0.25, "paper"), (0.5, "released")])
def test_the_number_of_pasted_objects_as_in_sim(share: float, name: str) -> None:
    for case in CASE[f"n_select_{name}"]:
        seen = paste_number(case["n_objects"], share=share, most=3)
        assert seen == case["n_select"], case


def test_objects_are_drawn_in_proportion_to_cubed_scores() -> None:
    key = "sampling_weights_for_scores_0.8_0.4_0.0"
    chances = paste_chances(np.array([0.8, 0.4, 0.0]), 3.0)
    np.testing.assert_allclose(chances, CASE["score_example"][key], atol=1e-6)
    rng = np.random.default_rng(0)
    first = [drawn(np.array([0.8, 0.4]), rng, **PAPER)[0] for _ in range(300)]
    assert np.mean(first) == pytest.approx(1 / 9, abs=0.06)


def test_no_object_is_pasted_twice() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert len(set(drawn(np.full(12, 0.7), rng, **PAPER).tolist())) == 3


@pytest.mark.parametrize(
    ("weights", "scores", "areas", "wanted"),
    [
        ([], [], [], []),
        ([0.0, 0.1], [1, 1], [4, 4], [False, True]),
        ([1, 1, 1], [0.49, 0.5, 1], [4, 4, 4], [False, True, True]),
        ([1, 1], [1, 1], [0, 1], [False, True]),
    ],
    ids=["none", "weight", "score", "pixels"],
)
def test_only_trusted_masks_with_pixels_are_pasted(
    weights: Any, scores: Any, areas: Any, wanted: Any
) -> None:
    given = (np.array(values, dtype=float) for values in (weights, scores, areas))
    assert pastable(*given, power=3, min_score=0.5).tolist() == wanted


def test_a_score_of_0_is_never_drawn_whatever_the_limit() -> None:
    assert pastable(np.ones(2), np.array([0.0, 0.1]), np.ones(2), power=3).tolist() == [False, True]
    assert not pastable(np.ones(3), np.zeros(3), np.ones(3), power=3).any()


def test_boxes_are_tightened_as_in_sim() -> None:
    """The masks of the case's targets are their boxes."""
    cover = rows_to_masks(CASE["pasted_mask_rows"])[0].astype(bool)
    boxes, kept = tightened(hulls(rows_to_masks(CASE["target_masks_rows"])), cover)
    assert [*np.flatnonzero(kept), 3] == CASE["kept_indices"]
    pasted = hulls(cover[None].astype(np.uint8))
    np.testing.assert_array_equal(np.concatenate([boxes[kept], pasted]), CASE["boxes_out_xyxy"])


def test_no_box_is_tightened_to_none() -> None:
    boxes, kept = tightened(np.zeros((0, 4), dtype=np.float32), np.ones((4, 4), dtype=bool))
    assert boxes.shape == (0, 4)
    assert kept.shape == (0,)


@pytest.mark.parametrize("seed", range(6))
def test_boxes_are_tightened_as_a_loop_over_pixels_does(seed: int) -> None:
    """Sides may lie within a pixel; one that stays where it was keeps its part of it."""
    rng = np.random.default_rng(seed)
    corners = np.sort(rng.uniform(0, 12, (30, 2, 2)), axis=1).reshape(30, 4).astype(np.float32)
    cover = rng.random((12, 12)) < (0.2, 0.6, 0.9)[seed % 3]
    boxes, kept = tightened(corners, cover)
    for box, found, stays in zip(corners.tolist(), boxes.tolist(), kept.tolist(), strict=True):
        left = [
            (max(x, box[0]), max(y, box[1]), min(x + 1, box[2]), min(y + 1, box[3]))
            for y in range(12)
            for x in range(12)
            if x < box[2] and x + 1 > box[0] and y < box[3] and y + 1 > box[1] and not cover[y, x]
        ]
        assert stays == bool(left)
        sides = list(zip(*left, strict=True)) if left else []
        wanted = [min(sides[0]), min(sides[1]), max(sides[2]), max(sides[3])] if left else box
        assert found == pytest.approx(wanted)


@pytest.mark.parametrize("size", [(4, 6), (2, 3), (5, 9), (2, 9)])
def test_what_is_pasted_is_cut_or_filled_to_the_targets_size(size: tuple[int, int]) -> None:
    array = np.arange(48).reshape(2, 4, 6) + 1
    found = fitted(array, size)
    for k, y, x in np.ndindex(2, *size):
        assert found[k, y, x] == (array[k, y, x] if y < 4 and x < 6 else 0)
