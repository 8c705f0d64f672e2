"""From the cells of a network's map to the pixels of the image that it looked at."""

from collections.abc import Sequence
from typing import overload

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stages.mil.clue_maps import normalised_maps


def to_image(
    cells: Tensor, size: tuple[int, int], *, flip: bool, cell: float | None = None
) -> Tensor:
    """Maps at the size of an image, bilinear between the middles of cells.

    Parameters
    ----------
    cells : (m, rows, columns). size : (height, width) px of the image.
    cell : px of the image, side of one; the last row and column may reach beyond the image. None:
        the cells are stretched over the image, as WeakTr does.
    flip : the network saw the mirrored image, which is turned back.

    Returns
    -------
    (m, height, width) float32.
    """
    height, width = size
    reach = list(size)
    if cell is not None:
        reach = [max(s, round(n * cell)) for s, n in zip(size, cells.shape[1:], strict=True)]
    plain = cells[:, None].float()
    whole = F.interpolate(plain, size=reach, mode="bilinear", align_corners=False)[:, 0]
    own = whole[:, :height, :width]
    return torch.flip(own, dims=(2,)) if flip else own


class SummedMaps(Sequence[np.ndarray]):
    """Maps at the size of an image, each summed over views when it is asked for, and normalised.

    Hundreds of maps of a large photograph would fill memory; their cells do not.

    Parameters
    ----------
    views : cells (m, rows, columns) of each view, and whether it was mirrored.
    size : (height, width) px of the image. An entry is (height, width) float32, 0 to 1.
    """

    def __init__(self, views: Sequence[tuple[Tensor, bool]], size: tuple[int, int]):
        self.views, self.size = views, size

    def __len__(self) -> int:
        return len(self.views[0][0]) if self.views else 0

    @overload
    def __getitem__(self, number: int) -> np.ndarray: ...

    @overload
    def __getitem__(self, number: slice) -> "SummedMaps": ...

    def __getitem__(self, number: int | slice) -> "np.ndarray | SummedMaps":
        if isinstance(number, slice):
            return SummedMaps([(cells[number], flip) for cells, flip in self.views], self.size)
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        parts = [to_image(cells[number][None], self.size, flip=f) for cells, f in self.views]
        return np.asarray(normalised_maps(torch.stack(parts).sum(dim=0))[0].cpu().numpy())
