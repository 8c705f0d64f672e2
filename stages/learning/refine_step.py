"""PNPG, PRM and BMS on batches of images: the loss of a training step, and one image's masks.

SAPNet, Sec. 3.3 to 3.5; the equations are in `stages.mil.pnpg`, `prm` and `bms`. Departures, each a
config key: S_dis and SAM's own quality may multiply the PRM score (`refine.pdg_exponent`,
`refine.quality_exponent`; the paper has neither, 0). Scaled boxes have no mask, so they take the
quality of the proposal they were scaled from.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stages.learning.bags import ImageBags
from stages.learning.select_step import image_logits, pdg_of
from stages.learning.two_branch import TwoBranch
from stages.mil import pnpg, prm
from stages.mil.bms import Thresholds, mined_boxes
from stages.mil.psm import of_label
from stages.settings.refine import Refine
from stages.settings.select import Select

NEGATIVE_PURPOSE = 5  # keeps these random numbers apart from those of other stages
RANDOM_PARTS = 4  # boxes drawn per object with npg.part_mode random


@dataclass(frozen=True, slots=True)
class Bag:
    """Enlarged bags of one image: the m originals first, then the p boxes of PPG.

    boxes : (n, m + p, 4). valid : (n, m + p) bool. quality : (n, m + p). raw : (n, m + p) S_raw.
    """

    boxes: Tensor
    valid: Tensor
    quality: Tensor
    raw: Tensor


def enlarged(bags: ImageBags, settings: Refine, select: Select) -> Bag:
    """B+: the originals and, with PPG, scaled copies of box_psm (Eq. 4)."""
    raw = pdg_of(bags.boxes, bags, select)
    if not settings.ppg.enabled or not len(bags.boxes):
        return Bag(bags.boxes, bags.valid, bags.quality, raw)
    base = bags.box_psm()
    ppg = settings.ppg
    scales = pnpg.ppg_scales(
        pdg_of(base[:, None], bags, select)[:, 0],
        expand_step=ppg.expand_step,
        expand_count=ppg.expand_count,
        fine_step=ppg.fine_step,
        fine_first=ppg.fine_first,
        fine_count=ppg.fine_count,
        shrink_step=ppg.shrink_step,
    )
    extra = pnpg.clamped(
        pnpg.scaled_boxes(base, scales), bags.size if ppg.clamp == "image" else None
    )
    ok = bags.usable()[:, None].expand(-1, extra.shape[1])
    quality = _of_chosen(bags.quality, bags)[:, None].expand(-1, extra.shape[1])
    return Bag(
        torch.cat([bags.boxes, extra], dim=1),
        torch.cat([bags.valid, ok], dim=1),
        torch.cat([bags.quality, quality], dim=1),
        torch.cat([raw, pdg_of(extra, bags, select)], dim=1),
    )


def _of_chosen(values: Tensor, bags: ImageBags) -> Tensor:
    """The value of each object's chosen proposal: (n, m) to (n,)."""
    assert bags.chosen is not None
    return values.gather(1, bags.chosen[:, None])[:, 0]


def negatives(bags: ImageBags, settings: Refine, rng: np.random.Generator) -> Tensor:
    """U of one image: background and part boxes that passed their thresholds, (u, 4) px."""
    npg = settings.npg
    drawn = torch.from_numpy(rng.random((4, npg.background)).astype(np.float32))
    boxes = pnpg.background_boxes(drawn.to(bags.boxes.device), bags.size)
    positives = bags.boxes[bags.valid]
    kept = boxes[pnpg.is_background(boxes, positives, t_neg1=npg.t_neg1)]
    return torch.cat([kept, _parts(bags, settings, rng)])


def _parts(bags: ImageBags, settings: Refine, rng: np.random.Generator) -> Tensor:
    npg, box_psm = settings.npg, bags.box_psm()
    if npg.part_mode == "none":
        return box_psm[:0]
    if npg.part_mode == "center":
        return pnpg.centre_parts(box_psm, min_area=npg.part_min_area)
    drawn = rng.random((len(box_psm), RANDOM_PARTS, 4)).astype(np.float32)
    return pnpg.random_parts(
        box_psm,
        torch.from_numpy(drawn).to(box_psm.device),
        bags.boxes,
        min_area=npg.part_min_area,
        t_neg1=npg.t_neg1,
        t_neg2=npg.t_neg2,
    )


def refine_loss(
    network: TwoBranch,
    pixels: Tensor,
    bags: list[ImageBags],
    settings: Refine,
    select: Select,
    *,
    rng_of: dict[int, np.random.Generator],
) -> tuple[Tensor, dict[str, float]]:
    """L_prm = alpha L_pos + (1 - alpha) L_neg of a batch, and numbers for the log."""
    maps = network.maps(pixels)
    plus = [enlarged(image, settings, select) for image in bags]
    logits = image_logits(network, "prm", maps, [bag.boxes for bag in plus])
    sums = [prm.positive_bags(*pair, bag.valid) for pair, bag in zip(logits, plus, strict=True)]
    usable = torch.cat([image.usable() for image in bags])  # the others teach nothing
    labels = torch.cat([image.labels for image in bags])[usable]
    weights = torch.cat([_weights(image) for image in bags])[usable]
    positive = prm.positive_loss(torch.cat(sums)[usable], labels, weights)
    negative, count = _negative(network, maps, bags, settings, weights, rng_of)
    loss = settings.alpha * positive + (1 - settings.alpha) * negative
    numbers = {"positive": positive.item(), "negative": negative.item(), "negatives": count}
    return loss, {"images": len(bags), "objects": len(labels), **numbers}


def _weights(bags: ImageBags) -> Tensor:
    """s_i, the PSM bag scores."""
    assert bags.bag_scores is not None
    return bags.bag_scores


def _negative(
    network: TwoBranch,
    maps: list[Tensor],
    bags: list[ImageBags],
    settings: Refine,
    weights: Tensor,
    rng_of: dict[int, np.random.Generator],
) -> tuple[Tensor, int]:
    if not settings.npg.enabled or not len(weights):
        return weights.new_zeros(()), 0
    boxes = [negatives(image, settings, rng_of[image.image_id]) for image in bags]
    count = sum(len(b) for b in boxes)
    if not count:
        return weights.new_zeros(()), 0
    cls, _ = network.logits("prm", network.vectors(maps, boxes))
    loss = prm.negative_loss(
        cls,
        torch.ones(count, device=cls.device),
        beta=weights.mean(),
        objects=len(weights),
        norm=settings.neg_norm,
    )
    return loss, count


@dataclass(frozen=True, slots=True)
class Refinement:
    """The answer for one image, boxes in px of the network's input.

    rules : (n,) index into bms.RULES. chosen, chosen_select : (n,) slots of the masks closest to
    box_prm and to box_select. score : (n,) PRM score of box_select.
    extra : per object the slots of its runner-up masks.
    """

    box_psm: Tensor
    box_select: Tensor
    box_prm: Tensor
    rules: Tensor
    chosen: Tensor
    chosen_select: Tensor
    score: Tensor
    extra: list[list[int]]


@torch.inference_mode()
def refine_image(
    network: TwoBranch, pixels: Tensor, bags: ImageBags, settings: Refine, select: Select
) -> Refinement:
    """PRM's box of each object, mined by BMS, and the original mask closest to it."""
    plus = enlarged(bags, settings, select)
    [(cls, ins)] = image_logits(network, "prm", network.maps(pixels), [plus.boxes])
    scores = of_label(prm.prm_scores(cls, ins, plus.valid, mode=settings.score), bags.labels)
    scores = scores * plus.raw**settings.pdg_exponent * plus.quality**settings.quality_exponent
    scores = scores.masked_fill(~plus.valid, -1.0)  # an object without any keeps its first
    best = scores.argmax(dim=1)
    rows = torch.arange(len(best), device=best.device)
    selected = plus.boxes[rows, best]
    original = scores[:, : bags.boxes.shape[1]]
    mined, rules = _mined(selected, bags, original, settings)
    chosen = prm.closest_proposal(mined, bags.boxes, bags.valid)
    return Refinement(
        bags.box_psm(),
        selected,
        mined,
        rules,
        chosen,
        prm.closest_proposal(selected, bags.boxes, bags.valid),
        scores[rows, best].clamp(min=0),
        [_extra(s, int(c), settings) for s, c in zip(original, chosen, strict=True)],
    )


def _mined(
    selected: Tensor, bags: ImageBags, scores: Tensor, settings: Refine
) -> tuple[Tensor, Tensor]:
    """BMS over the k best originals by PRM score (paper) or the first k stored (authors' code)."""
    bms = settings.bms
    k = min(bms.k, scores.shape[1])
    first = torch.arange(k, device=scores.device).expand(len(scores), k)
    ranked = scores.argsort(dim=1, descending=True, stable=True)[:, :k]
    order = first if bms.mode == "code" else ranked
    candidates = bags.boxes.gather(1, order[..., None].expand(-1, -1, 4))
    limits = Thresholds(bms.t_min1, bms.t_min2, bms.tolerance)
    usable = bags.valid.gather(1, order)
    mined, rules = mined_boxes(selected, candidates, usable, limits, mode=bms.mode)
    return pnpg.clamped(mined, bags.size), rules


def _extra(scores: Tensor, chosen: int, settings: Refine) -> list[int]:
    """Slots of the highest, middle and lowest other proposal of a bag (MPS)."""
    ranking = scores.argsort(descending=True, stable=True)
    valid = [int(i) for i in ranking if scores[i] >= 0]
    return prm.runners_up(valid, chosen, 3, mode=settings.mps)
