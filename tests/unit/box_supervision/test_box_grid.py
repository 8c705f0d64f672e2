"""Boxes as masks of a coarse grid, against a loop over cells."""

import numpy as np
import pytest
import torch

from stages.box_supervision.box_grid import boxes_on_grid


def slow(boxes: np.ndarray, height: int, width: int, cell: int) -> np.ndarray:
    found = np.zeros((len(boxes), height, width))
    for place, (x0, y0, x1, y1) in enumerate(boxes):
        own_x = min(max(int((x0 + x1) / 2 // cell), 0), width - 1)
        own_y = min(max(int((y0 + y1) / 2 // cell), 0), height - 1)
        for y in range(height):
            for x in range(width):
                across = x0 <= (x + 0.5) * cell < x1 or x == own_x
                down = y0 <= (y + 0.5) * cell < y1 or y == own_y
                found[place, y, x] = across and down
    return found


def test_no_box_has_no_mask() -> None:
    assert boxes_on_grid(torch.zeros(0, 4), 3, 5, cell=4).shape == (0, 3, 5)


@pytest.mark.parametrize("cell", [2, 4])
def test_masks_are_those_of_a_loop(cell: int) -> None:
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 20, (20, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(0.1, 15, (20, 2))], axis=1)
    boxes = boxes.astype(np.float32)
    seen = boxes_on_grid(torch.from_numpy(boxes), 7, 9, cell=cell).numpy()
    assert (seen == slow(boxes, 7, 9, cell)).all()
    assert (seen.sum((1, 2)) > 0).all()


def test_a_box_between_two_middles_has_one_cell() -> None:
    seen = boxes_on_grid(torch.tensor([[2.5, 6.5, 3.5, 7.5]]), 4, 4, cell=4)
    assert torch.nonzero(seen[0]).tolist() == [[1, 0]]
