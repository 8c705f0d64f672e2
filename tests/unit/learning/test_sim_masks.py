"""Pseudo masks of the round before on the grid of the losses, against a loop over cells."""

from typing import Any

import numpy as np
import pytest
import torch

from stages.box_supervision.box_grid import boxes_on_grid
from stages.geometry.masks import masks_to_rles
from stages.learning.sim_masks import PseudoMasks, Shown, on_grid, pseudo_masks, uncovered

SIZE = (12, 16)


def row(mask: np.ndarray, ignored: np.ndarray | None = None, weight: float = 1.0) -> dict[str, Any]:
    def code(values: np.ndarray) -> bytes:
        return bytes(masks_to_rles(values[None].astype(np.uint8))[0]["counts"])

    return {
        "rle": code(mask),
        "ignore_rle": None if ignored is None else code(ignored),
        "mask_weight": weight,
    }


def random(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(SIZE) < 0.5


@pytest.mark.parametrize("rows", [[], [None, None]])
def test_nothing_is_said_of_nobody(rows: list[None]) -> None:
    found = pseudo_masks(rows, SIZE, (6, 8), flip=False)
    masks, weights = on_grid(found, 3, 4, cell=2)
    assert masks.shape == weights.shape == (len(rows), 3, 4)
    assert not weights.any()


@pytest.mark.parametrize("flip", [False, True])
def test_cells_are_the_object_where_half_of_them_are(flip: bool) -> None:
    mask, ignored = random(0), random(1)
    found = pseudo_masks([None, row(mask, ignored, 0.5)], SIZE, SIZE, flip=flip)
    masks, weights = on_grid(found, 8, 8, cell=2)
    if flip:
        mask, ignored = mask[:, ::-1], ignored[:, ::-1]
    for y in range(8):
        for x in range(8):
            part = slice(2 * y, 2 * y + 2), slice(2 * x, 2 * x + 2)
            inside = y < 6
            assert masks[1, y, x] == (inside and mask[part].mean() >= 0.5)
            assert weights[1, y, x] == 0.5 * (inside and (~ignored[part]).mean() >= 0.5)
    assert not weights[0].any()


def test_masks_are_resized_with_the_image() -> None:
    mask = np.zeros(SIZE, dtype=bool)
    mask[4:8, 8:16] = True
    found = pseudo_masks([row(mask)], SIZE, (24, 32), flip=False)
    assert found.masks.shape == (1, 24, 32)
    assert found.masks[0, 8:16, 16:].all()
    assert found.masks.sum() == 4 * mask.sum()
    assert found.looked_at.all()


def covered(boxes: list[list[float]], cover: np.ndarray | None, pasted: int = 0) -> Shown:
    none = np.zeros((len(boxes), 0, 0), dtype=np.uint8)
    masks = PseudoMasks(none, none, torch.zeros(len(boxes)))
    pixels, classes = np.zeros((*SIZE, 3), np.uint8), torch.zeros(len(boxes), dtype=torch.int64)
    return Shown(pixels, torch.tensor(boxes).reshape(-1, 4), classes, masks, pasted, cover)


def test_without_pasted_objects_boxes_are_whole() -> None:
    shown = covered([[0.0, 0, 8, 8], [4.0, 2, 16, 12]], None)
    whole = boxes_on_grid(shown.boxes, 8, 8, cell=2)
    assert torch.equal(uncovered(whole, shown, cell=2), whole)


def test_boxes_lose_the_cells_that_are_covered_by_half() -> None:
    """But for those of pasted objects, and for one of which that would leave nothing."""
    cover = random(3)
    cover[4:6, 4:6] = True
    shown = covered([[0.0, 0, 16, 12], [4.0, 4, 6, 6], [0.0, 0, 16, 12]], cover, pasted=1)
    whole = boxes_on_grid(shown.boxes, 8, 8, cell=2)  # of 16 x 16 px: padded below
    found = uncovered(whole, shown, cell=2)
    for y in range(6):
        for x in range(8):
            part = cover[2 * y : 2 * y + 2, 2 * x : 2 * x + 2]
            assert found[0, y, x] == (part.mean() < 0.5)
    assert torch.equal(found[1:], whole[1:])
    assert found[1].sum() == 1
