"""PNPG on the bags of an image: enlarged bags and negatives.

SAPNet, Sec. 3.3; the equations are in `stages.mil.pnpg`. Scaled boxes have no mask, so they take
the quality of the proposal they were scaled from.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stages.learning.bags import ImageBags
from stages.learning.mining import mined_psm
from stages.learning.select_step import pdg_of
from stages.mil import pnpg
from stages.settings.refine import Refine
from stages.settings.refiners.prm import Ppg
from stages.settings.select import Select

RANDOM_PARTS = 4  # boxes drawn per object with npg.part_mode random


@dataclass(frozen=True, slots=True)
class EnlargedBags:
    """Enlarged bags of one image: the m originals first, then the p boxes of PPG.

    boxes : (n, m + p, 4). valid : (n, m + p) bool. quality : (n, m + p). raw : (n, m + p) S_raw.
    """

    boxes: Tensor
    valid: Tensor
    quality: Tensor
    raw: Tensor


def enlarged(bags: ImageBags, settings: Refine, select: Select) -> EnlargedBags:
    """B+: the originals and, with PPG, scaled copies of box_psm (Eq. 4)."""
    raw = pdg_of(bags.boxes, bags, select)
    if not settings.prm.ppg.enabled or not len(bags.boxes):
        return EnlargedBags(bags.boxes, bags.valid, bags.quality, raw)
    extra = _scaled(bags, settings, select)
    ok = bags.usable()[:, None].expand(-1, extra.shape[1])
    quality = _of_chosen(bags.quality, bags)[:, None].expand(-1, extra.shape[1])
    return EnlargedBags(
        torch.cat([bags.boxes, extra], dim=1),
        torch.cat([bags.valid, ok], dim=1),
        torch.cat([bags.quality, quality], dim=1),
        torch.cat([raw, pdg_of(extra, bags, select)], dim=1),
    )


def _scaled(bags: ImageBags, settings: Refine, select: Select) -> Tensor:
    """PPG's boxes, (n, p, 4) px."""
    base, _ = mined_psm(bags, settings.prm.bms)
    raw = pdg_of(base[:, None], bags, select)[:, 0]
    scales = _scales(raw, settings.prm.ppg, exponent=select.psm.pdg.exponent)
    limit = bags.size if settings.prm.ppg.clamp == "image" else None
    return pnpg.clamped(pnpg.scaled_boxes(base, scales), limit)


def _scales(raw: Tensor, ppg: Ppg, *, exponent: float) -> Tensor:
    """Scales by the chosen form, (n, p), from S_raw of box_psm, (n,); S_dis has the exponent."""
    if ppg.form == "paper":
        return pnpg.both_ways(raw**exponent, step=ppg.step, count=ppg.count)
    return pnpg.one_way(
        raw,
        expand_step=ppg.expand_step,
        expand_count=ppg.expand_count,
        fine_step=ppg.fine_step,
        fine_first=ppg.fine_first,
        fine_count=ppg.fine_count,
        shrink_step=ppg.shrink_step,
    )


def _of_chosen(values: Tensor, bags: ImageBags) -> Tensor:
    """The value of each object's chosen proposal: (n, m) to (n,)."""
    assert bags.chosen is not None
    return values.gather(1, bags.chosen[:, None])[:, 0]


def negatives(bags: ImageBags, settings: Refine, rng: np.random.Generator) -> Tensor:
    """U of one image: background and part boxes that passed their thresholds, (u, 4) px."""
    npg = settings.prm.npg
    drawn = torch.from_numpy(rng.random((4, npg.background)).astype(np.float32))
    boxes = pnpg.background_boxes(drawn.to(bags.boxes.device), bags.size)
    positives = bags.boxes[bags.valid]
    kept = boxes[pnpg.is_background(boxes, positives, t_neg1=npg.t_neg1)]
    return torch.cat([kept, _parts(bags, settings, rng)])


def _parts(bags: ImageBags, settings: Refine, rng: np.random.Generator) -> Tensor:
    """Parts of box_psm as PSM chose it, mined or not (authors' code); none without a mask."""
    npg, usable = settings.prm.npg, bags.usable()
    box_psm = bags.box_psm()[usable]
    if npg.part_mode == "none":
        return box_psm[:0]
    if npg.part_mode == "center":
        return pnpg.centre_parts(box_psm, min_area=npg.part_min_area)
    drawn = rng.random((len(usable), RANDOM_PARTS, 4)).astype(np.float32)
    return pnpg.random_parts(
        box_psm,
        torch.from_numpy(drawn).to(box_psm.device)[usable],
        (bags.boxes * bags.valid[..., None])[usable],  # what is not valid is near nothing
        min_area=npg.part_min_area,
        t_neg1=npg.t_neg1,
        t_neg2=npg.t_neg2,
    )
