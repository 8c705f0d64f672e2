"""PRM on batches of images: the loss of a training step, and the answer for one image.

SAPNet, Sec. 3.4; the equations are in `stages.mil.prm` and `bms`, the bags and negatives in
`pnpg_step`, BMS in `mining`. Departures, each a config key: S_dis and SAM's own quality may
multiply the PRM score (`refine.prm.pdg_exponent`, `refine.prm.quality_exponent`; the paper has
neither, 0).
"""

import numpy as np
import torch
from torch import Tensor

from stages.learning.bags import ImageBags
from stages.learning.mining import mined, mined_psm
from stages.learning.pnpg_step import EnlargedBags, enlarged, negatives
from stages.learning.refinement import Refinement, runners_up
from stages.learning.select_step import image_logits, mean_own
from stages.learning.two_branch import TwoBranch
from stages.mil import prm
from stages.mil.psm import of_label
from stages.runtime import randomness
from stages.settings.refine import Refine
from stages.settings.select import Select


def heads(classes: int, select: Select, refine: Refine) -> dict[str, int]:
    """Columns of each head that is trained: one per class."""
    return {"prm": classes}


def step_loss(
    network: TwoBranch,
    pixels: Tensor,
    bags: list[ImageBags],
    select: Select,
    refine: Refine,
    *,
    seed: int,
    step: int,
) -> tuple[Tensor, dict[str, float]]:
    """L_prm of a batch, and numbers for the log."""
    rng_of = rngs_of(seed, step, [image.image_id for image in bags])
    return refine_loss(network, pixels, bags, refine, select, rng_of=rng_of)


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
    weights = torch.cat([_weights(image, settings, select) for image in bags])[usable]
    summed = torch.cat(sums)[usable]  # (objects of the batch, k)
    positive = prm.positive_loss(summed, labels, weights)
    negative, count = _negative(network, maps, bags, settings, weights, rng_of)
    loss = settings.prm.alpha * positive + (1 - settings.prm.alpha) * negative
    numbers = {"positive": positive.item(), "negative": negative.item(), "negatives": count}
    counts = {"images": len(bags), "objects": len(labels)}
    return loss, {**counts, **numbers, "bag_score_prm": mean_own(summed, labels)}


def rngs_of(seed: int, step: int, image_ids: list[int]) -> dict[int, np.random.Generator]:
    """Random numbers for the negatives of each image of a step."""
    return {i: randomness.rng_of(seed, randomness.Purpose.NEGATIVE, step, i) for i in image_ids}


def _weights(bags: ImageBags, settings: Refine, select: Select) -> Tensor:
    """s_i, the PSM bag scores: <c, S> of Eq. 5, with S_dis of Eq. 3 in S or without."""
    is_guided = settings.prm.weight_dis and select.psm.pdg.apply != "none"
    weights = bags.guided_scores if is_guided else bags.bag_scores
    assert weights is not None
    return weights


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
    cls: Tensor, ins: Tensor, plus: EnlargedBags, bags: ImageBags, settings: Refine
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
        runners_up(original, chosen, settings.mps),
        original,
    )
