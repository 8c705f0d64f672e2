"""PRM on batches of images: the loss of a training step, and one image's masks.

SAPNet, Sec. 3.4 and 3.5; the equations are in `stages.mil.prm` and `bms`, the bags and negatives in
`pnpg_step`, BMS in `mining`. Departures, each a config key: S_dis and SAM's own quality may
multiply the PRM score (`refine.prm.pdg_exponent`, `refine.prm.quality_exponent`; the paper has
neither, 0).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stages.learning.bags import ImageBags
from stages.learning.mining import mined, mined_psm, selection_scores
from stages.learning.pnpg_step import Bag, enlarged, negatives
from stages.learning.select_step import image_logits, mean_own
from stages.learning.two_branch import TwoBranch
from stages.mil import prm
from stages.mil.psm import of_label
from stages.settings.refine import Refine
from stages.settings.select import Select

NEGATIVE_PURPOSE = 5  # keeps these random numbers apart from those of other stages


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
    maps = network.feature_maps(pixels)
    return loss_on_maps(network, maps, bags, settings, select, rng_of=rng_of)


def loss_on_maps(
    network: TwoBranch,
    maps: list[Tensor],
    bags: list[ImageBags],
    settings: Refine,
    select: Select,
    *,
    rng_of: dict[int, np.random.Generator],
) -> tuple[Tensor, dict[str, float]]:
    """As `refine_loss`, from the feature maps."""
    plus = [enlarged(image, settings, select) for image in bags]
    logits = image_logits(network, "prm", maps, [bag.boxes for bag in plus])
    sums = [prm.positive_bags(*pair, bag.valid) for pair, bag in zip(logits, plus, strict=True)]
    usable = torch.cat([image.usable() for image in bags])  # the others teach nothing
    labels = torch.cat([image.labels for image in bags])[usable]
    weights = torch.cat([_weights(image) for image in bags])[usable]
    summed = torch.cat(sums)[usable]  # (objects of the batch, k)
    positive = prm.positive_loss(summed, labels, weights)
    negative, count = _negative(network, maps, bags, settings, weights, rng_of)
    loss = settings.prm.alpha * positive + (1 - settings.prm.alpha) * negative
    numbers = {"positive": positive.item(), "negative": negative.item(), "negatives": count}
    counts = {"images": len(bags), "objects": len(labels)}
    return loss, {**counts, **numbers, "bag_score_prm": mean_own(summed, labels)}


def rngs_of(seed: int, step: int, image_ids: list[int]) -> dict[int, np.random.Generator]:
    """Random numbers for the negatives of each image of a step."""
    return {i: np.random.default_rng([seed, NEGATIVE_PURPOSE, step, i]) for i in image_ids}


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
    if not settings.prm.npg.enabled or not len(weights):
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
        norm=settings.prm.neg_norm,
    )
    return loss, count


@dataclass(frozen=True, slots=True)
class Refinement:
    """The answer for one image, boxes in px of the bags' grid.

    box_psm : (n, 4), mined where `bms.stages` has psm. box_select, box_prm : (n, 4).
    rules : (n,) index into bms.RULES. chosen, chosen_select : (n,) slots of the masks closest to
    box_prm and to box_select. score : (n,) of box_select: PRM's, or select's where there is no PRM.
    extra : per object the slots of its runner-up masks.
    scores : (n, m) of the originals, by the same stage as `score`; below 0 where not valid.
    """

    box_psm: Tensor
    box_select: Tensor
    box_prm: Tensor
    rules: Tensor
    chosen: Tensor
    chosen_select: Tensor
    score: Tensor
    extra: list[list[int]]
    scores: Tensor


@torch.inference_mode()
def refine_image(
    network: TwoBranch, pixels: Tensor, bags: ImageBags, settings: Refine, select: Select
) -> Refinement:
    """PRM's box of each object, mined by BMS, and the original mask closest to it."""
    plus = enlarged(bags, settings, select)
    maps = network.feature_maps(pixels)
    [(cls, ins)] = image_logits(network, "prm", maps, [plus.boxes])
    return refinement_of(cls, ins, plus, bags, settings)


def refinement_of(
    cls: Tensor, ins: Tensor, plus: Bag, bags: ImageBags, settings: Refine
) -> Refinement:
    """As `refine_image`, from PRM's (n, m + p, k) logits of the enlarged bags."""
    scores = of_label(prm.prm_scores(cls, ins, plus.valid, mode=settings.prm.score), bags.labels)
    power, quality = settings.prm.pdg_exponent, settings.prm.quality_exponent
    scores = scores * plus.raw**power * plus.quality**quality
    scores = scores.masked_fill(~plus.valid, -1.0)  # an object without any keeps its first
    best = scores.argmax(dim=1)
    rows = torch.arange(len(best), device=best.device)
    selected = plus.boxes[rows, best]
    original = scores[:, : bags.boxes.shape[1]]
    box_prm, rules = mined(selected, bags, original, settings.prm.bms, stage="prm")
    chosen = prm.closest_proposal(box_prm, bags.boxes, bags.valid)
    return Refinement(
        mined_psm(bags, settings.prm.bms)[0],
        selected,
        box_prm,
        rules,
        chosen,
        prm.closest_proposal(selected, bags.boxes, bags.valid),
        scores[rows, best].clamp(min=0),
        _extra(original, chosen, settings),
        original,
    )


def unrefined(bags: ImageBags, settings: Refine) -> Refinement:
    """Select's choice as the pseudo-label, for `refine.method: as_it_is`: PSM alone (Table 4).

    The box is mined where `as_it_is.bms` says so; its mask is the closest proposal then, and
    select's own choice otherwise. Lengths in px, such as the tolerance of BMS, are those of the
    bags' grid.
    """
    assert bags.chosen is not None
    scores = selection_scores(bags)
    box_psm, rules = mined_psm(bags, settings.as_it_is.bms)
    closest = prm.closest_proposal(box_psm, bags.boxes, bags.valid)
    chosen = torch.where(rules > 0, closest, bags.chosen)
    score = scores.gather(1, bags.chosen[:, None])[:, 0].clamp(min=0)
    extra = _extra(scores, chosen, settings)
    choices = (rules, chosen, bags.chosen, score, extra, scores)
    return Refinement(box_psm, bags.box_psm(), box_psm, *choices)


def _extra(scores: Tensor, chosen: Tensor, settings: Refine) -> list[list[int]]:
    """Slots of the highest, middle and lowest other proposal of each bag (MPS)."""
    order = scores.argsort(dim=1, descending=True, stable=True)
    rankings = zip(order.tolist(), (scores >= 0).sum(dim=1).tolist(), chosen.tolist(), strict=True)
    return [prm.runners_up(row[:valid], one, 3, mode=settings.mps) for row, valid, one in rankings]
