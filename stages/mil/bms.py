"""BMS, the box mining strategy: the selected box grows towards better proposals of its bag.

SAPNet, Sec. 3.4, Algorithm 2, read as the text explains it (the printed lines are swapped and the
second threshold is misnamed). "paper" keeps box_select fixed while it looks through the proposals;
"code" merges in place, as the authors' code does, so that its result depends on their order.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from stages.geometry.box_tensors import paired_iou, tensor_area

RULES = ("none", "overlap", "contain")  # rule numbers as returned below


@dataclass(frozen=True, slots=True)
class Thresholds:
    """T_min1 of rule overlap, T_min2 of rule contain (IoU), tolerance of containment (px)."""

    overlap: float = 0.6
    contain: float = 0.3
    tolerance: float = 2.0


def mined_boxes(
    selected: Tensor, candidates: Tensor, usable: Tensor, thresholds: Thresholds, *, mode: str
) -> tuple[Tensor, Tensor]:
    """box_prm of each object, and which rule made it.

    Parameters
    ----------
    selected : (n, 4) box_select, xyxy px. candidates : (n, k, 4) proposals in the order to look.
    usable : (n, k) bool. mode : "paper", "code" or "none".

    Returns
    -------
    boxes : (n, 4), not clipped. rules : (n,) int, index into RULES.

    Raises
    ------
    ValueError : another `mode`.
    """
    rules = torch.zeros(len(selected), dtype=torch.long, device=selected.device)
    if mode == "none" or not candidates.shape[1]:
        return selected, rules
    if mode == "paper":
        return _mined_paper(selected, candidates, usable, thresholds)
    if mode == "code":
        return _mined_code(selected, candidates, usable, thresholds)
    raise ValueError(f"mode is {mode!r}, not paper, code or none.")


def _mined_paper(
    selected: Tensor, candidates: Tensor, usable: Tensor, limits: Thresholds
) -> tuple[Tensor, Tensor]:
    mined = selected.clone()
    rules = torch.zeros(len(selected), dtype=torch.long, device=selected.device)
    best1 = selected.new_full((len(selected),), limits.overlap)
    best2 = selected.new_full((len(selected),), limits.contain)
    for prop, ok in zip(candidates.unbind(1), usable.unbind(1), strict=True):
        iou = paired_iou(prop, selected)
        larger = ok & (tensor_area(prop) > tensor_area(selected))
        overlap = larger & (iou > best1)
        contain = larger & ~(iou > best1) & (rules != 1) & (iou > best2)
        contain &= _inside(selected, prop, limits.tolerance)
        mined = torch.where(overlap[:, None], _overlap_merge(prop, selected, iou), mined)
        mined = torch.where(contain[:, None], _contain_merge(prop, selected, iou), mined)
        best1, best2 = torch.where(overlap, iou, best1), torch.where(contain, iou, best2)
        rules = torch.where(overlap, 1, torch.where(contain, 2, rules))
    return mined, rules


def _mined_code(
    selected: Tensor, candidates: Tensor, usable: Tensor, limits: Thresholds
) -> tuple[Tensor, Tensor]:
    """In place: later proposals meet the merged box, the area gate the last merged proposal."""
    mined, gate = selected.clone(), tensor_area(selected)
    rules = torch.zeros(len(selected), dtype=torch.long, device=selected.device)
    best = torch.zeros_like(gate)
    for prop, ok in zip(candidates.unbind(1), usable.unbind(1), strict=True):
        iou = paired_iou(prop, mined)
        better = ok & (tensor_area(prop) > gate) & (iou > best)
        overlap = better & (iou > limits.overlap)
        contain = better & ~overlap & (iou > limits.contain)
        contain &= _inside(mined, prop, limits.tolerance, strict=True)
        merged = torch.where(
            overlap[:, None], _overlap_merge(prop, mined, iou), _contain_merge(prop, mined, iou)
        )
        hit = overlap | contain
        mined = torch.where(hit[:, None], merged, mined)
        gate, best = torch.where(hit, tensor_area(prop), gate), torch.where(hit, iou, best)
        rules = torch.where(overlap, 1, torch.where(contain, 2, rules))
    return mined, rules


def _overlap_merge(prop: Tensor, box: Tensor, iou: Tensor) -> Tensor:
    """Rule (i), the same object a little larger: weight 1 / (1 + IoU) on the proposal."""
    return (prop + iou[:, None] * box) / (1 + iou[:, None])


def _contain_merge(prop: Tensor, box: Tensor, iou: Tensor) -> Tensor:
    """Rule (ii), a part inside a whole: weight IoU / (1 + IoU) on the proposal."""
    return (iou[:, None] * prop + box) / (1 + iou[:, None])


def _inside(inner: Tensor, outer: Tensor, tolerance: float, *, strict: bool = False) -> Tensor:
    """Whether each inner box lies in its outer one, (n,) bool, `tolerance` px allowed per side."""
    gaps = torch.cat([inner[:, :2] - outer[:, :2], outer[:, 2:] - inner[:, 2:]], dim=1)
    gaps = gaps + tolerance
    return ((gaps > 0) if strict else (gaps >= 0)).all(dim=1)
