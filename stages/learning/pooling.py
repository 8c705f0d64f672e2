"""RoIs pooled from feature maps of one or several strides."""

import torch
from torch import Tensor
from torchvision.ops import roi_align

from stages.geometry.box_tensors import tensor_area
from stages.learning.separable import MAX_CELLS, separable_roi_align


def fpn_levels(boxes: Tensor, levels: int) -> Tensor:
    """Level of each RoI, from 0: floor(log2(sqrt(area) / 56)), cut to what there is.

    Parameters
    ----------
    boxes : (r, 4) xyxy px of the network input.

    Source: the authors' code (the usual canonical scale, 224 px at stride 16).
    """
    scale = tensor_area(boxes).sqrt()
    return torch.floor(torch.log2(scale / 56 + 1e-6)).clamp(0, levels - 1).long()


def pooled(maps: list[Tensor], strides: tuple[float, ...], rois: Tensor, size: int) -> Tensor:
    """RoIAlign (aligned, adaptive sampling) from the level that fits each RoI.

    Parameters
    ----------
    maps : per level (b, c, h, w). strides : px per cell of each level.
    rois : (r, 5) image number in the batch and xyxy px of the network input, sorted by image.

    Returns
    -------
    (r, c, size, size).
    """
    if len(maps) == 1:
        return _aligned(maps[0], rois, size, strides[0])
    out = maps[0].new_zeros((len(rois), maps[0].shape[1], size, size))
    level_of = fpn_levels(rois[:, 1:], len(maps))
    for level, (level_map, stride) in enumerate(zip(maps, strides, strict=True)):
        here = torch.nonzero(level_of == level).squeeze(1)
        if len(here):
            part = _aligned(level_map, rois[here], size, stride)
            out = out.index_put((here,), part.to(out.dtype))
    return out


def _aligned(level: Tensor, rois: Tensor, size: int, stride: float) -> Tensor:
    if level.device.type == "cpu" and max(level.shape[-2:]) <= MAX_CELLS:
        return separable_roi_align(level, rois, size, stride)
    aligned: Tensor = roi_align(level, rois, size, 1 / stride, sampling_ratio=-1, aligned=True)
    return aligned
