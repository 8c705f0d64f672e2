"""Boxes as masks of a coarse grid, on which mask losses are worked out.

BoxInst (CVPR 2021) takes every fourth pixel of the box's full mask, so that a box between two of
them has none, and its object is taught to be nowhere; here each box has one cell at least.
"""

import torch
from torch import Tensor


def boxes_on_grid(boxes: Tensor, height: int, width: int, *, cell: int) -> Tensor:
    """Cells whose middles lie in each box, and the cell of the box's own middle.

    Parameters
    ----------
    boxes : (n, 4) xyxy px, half-open. height, width : cells of the grid. cell : px of one.

    Returns
    -------
    (n, height, width) float32 of 0 and 1.
    """
    across = _lines(boxes[:, 0], boxes[:, 2], width, cell)
    down = _lines(boxes[:, 1], boxes[:, 3], height, cell)
    return (down[:, :, None] & across[:, None, :]).float()


def _lines(low: Tensor, high: Tensor, count: int, cell: int) -> Tensor:
    """(n, count) bool."""
    places = torch.arange(count, device=low.device)
    middles = (places + 0.5) * cell
    own = ((low + high) / 2 / cell).floor().clamp(0, count - 1)
    inside = (middles >= low[:, None]) & (middles < high[:, None])
    return inside | (places == own[:, None])
