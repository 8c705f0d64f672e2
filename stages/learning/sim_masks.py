"""An image as SIM's teacher sees it, and pseudo masks on the grid of the mask losses.

SIM (CVPR 2023), Sec. 3.3: what is neither surely the object nor surely not has the weight W = 0,
and so has everything outside the box, which the projection loss looks after.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stages.geometry.masks import rle_of, rles_to_masks


@dataclass(frozen=True, slots=True)
class PseudoMasks:
    """What the round before said of the objects of an image, as the network sees it.

    masks : (g, h, w) uint8, the objects. looked_at : (g, h, w) uint8, 0 for px that no loss looks
    at. weights : (g,) float32, 0 for an object that it said nothing of.
    """

    masks: np.ndarray
    looked_at: np.ndarray
    weights: Tensor


@dataclass(frozen=True, slots=True)
class Shown:
    """One image as the network sees it.

    pixels : (h, w, 3) uint8. boxes : (g, 4) float32 xyxy px, each with an area. classes : (g,)
    int64. masks : by object, of the round before, and where objects were pasted. pasted : how many
    were, the last of the g. cover : (h, w) bool, where they are; None where there are none.
    """

    pixels: np.ndarray
    boxes: Tensor
    classes: Tensor
    masks: PseudoMasks
    pasted: int = 0
    cover: np.ndarray | None = None


def pseudo_masks(
    rows: Sequence[Mapping[str, Any] | None],
    size: tuple[int, int],
    shown: tuple[int, int],
    *,
    flip: bool,
) -> PseudoMasks:
    """The masks of an image's objects, resized and mirrored as its pixels are.

    Parameters
    ----------
    rows : with rle, ignore_rle and mask_weight, or None. size : (height, width) px of the image.
    shown : of the image as the network sees it.

    Raises
    ------
    ValueError : a mask is of another size than the image.
    """
    weights = torch.tensor([row["mask_weight"] if row else 0.0 for row in rows])
    if not bool(weights.any()):
        none = np.zeros((len(rows), 0, 0), dtype=np.uint8)
        return PseudoMasks(none, none, weights)
    masks = np.stack([_resized(row["rle"] if row else None, size, shown) for row in rows])
    ignored = np.stack([_resized(row["ignore_rle"] if row else None, size, shown) for row in rows])
    way = slice(None, None, -1 if flip else 1)
    return PseudoMasks(masks[:, :, way], 1 - ignored[:, :, way], weights)


def _resized(counts: bytes | None, size: tuple[int, int], shown: tuple[int, int]) -> np.ndarray:
    """A mask by its run lengths, nearest; empty where there is none."""
    if not counts:
        return np.zeros(shown, dtype=np.uint8)
    mask = rles_to_masks([rle_of(counts, *size)])[0].astype(np.uint8)
    return np.asarray(cv2.resize(mask, (shown[1], shown[0]), interpolation=cv2.INTER_NEAREST_EXACT))


def on_grid(found: PseudoMasks, height: int, width: int, *, cell: int) -> tuple[Tensor, Tensor]:
    """The masks and their weights in cells: an object's where half of them are.

    Parameters
    ----------
    height, width : cells of the grid; what lies beyond the image has no weight. cell : px of one.

    Returns
    -------
    (g, height, width) float32 of 0 and 1; (g, height, width) float32, the weight of the object.
    """
    if not found.masks.size:
        none = torch.zeros(len(found.weights), height, width)
        return none, none
    masks = _shares(found.masks, height, width, cell) >= 0.5
    looked_at = _shares(found.looked_at, height, width, cell) >= 0.5
    return masks.float(), looked_at.float() * found.weights[:, None, None]


def uncovered(boxes: Tensor, shown: Shown, *, cell: int) -> Tensor:
    """What of the objects' boxes is not under pasted objects; those lie on top.

    Parameters
    ----------
    boxes : (g, height, width) of 0 and 1, in cells. cell : px of one.

    Returns
    -------
    (g, height, width) of 0 and 1; a cell is covered where half of it is. A box of which that would
    leave nothing stays as it is: something of it is seen, or it would not be there.

    Source: SIM, public code, whose masks of other objects are their boxes without what is pasted.
    """
    if shown.cover is None:
        return boxes
    _, height, width = boxes.shape
    cover = _shares(shown.cover[None], height, width, cell) >= 0.5
    rest = torch.where(cover, 0.0, boxes)
    on_top = torch.arange(len(boxes)) >= len(boxes) - shown.pasted
    whole = on_top | ~rest.flatten(1).any(1)
    return torch.where(whole[:, None, None], boxes, rest)


def _shares(masks: np.ndarray, height: int, width: int, cell: int) -> Tensor:
    """(g, h, w) px to (g, height, width): the share of each cell."""
    values = torch.from_numpy(np.ascontiguousarray(masks)).float()
    right, below = width * cell - values.shape[2], height * cell - values.shape[1]
    return F.avg_pool2d(F.pad(values, (0, right, 0, below)), cell)
