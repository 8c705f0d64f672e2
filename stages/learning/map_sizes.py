"""From the cells of a network's map to the pixels of the image that it looked at."""

import torch
from torch import Tensor
from torch.nn import functional as F


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
