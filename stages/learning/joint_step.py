"""PSM and PRM in one step, sharing backbone and fully-connected layers, as in the paper.

SAPNet, Sec. 3.1 and 3.4. PRM works on what PSM chooses at this very step: the choice and the bag
scores are detached, so both losses meet in the shared layers alone.
"""

from dataclasses import replace

import numpy as np
from torch import Tensor

from stages.learning import refine_step, select_step
from stages.learning.bags import ImageBags
from stages.learning.two_branch import TwoBranch
from stages.settings.refine import Refine
from stages.settings.select import Select


def heads(classes: int, select: Select, refine: Refine) -> dict[str, int]:
    """Columns of each head that is trained: those of both stages."""
    return select_step.heads(classes, select, refine) | refine_step.heads(classes, select, refine)


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
    """L_psm + L_prm of a batch, and numbers for the log."""
    rng_of = refine_step.rngs_of(seed, step, [image.image_id for image in bags])
    return joint_loss(network, pixels, bags, refine, select, rng_of=rng_of)


def joint_loss(
    network: TwoBranch,
    pixels: Tensor,
    bags: list[ImageBags],
    settings: Refine,
    select: Select,
    *,
    rng_of: dict[int, np.random.Generator],
) -> tuple[Tensor, dict[str, float]]:
    """L_psm (with its weight) + L_prm of a batch, and the numbers of both for the log."""
    maps = network.feature_maps(pixels)
    logits = select_step.psm_logits(network, maps, bags)
    psm, numbers = select_step.loss_of_logits(logits, bags, select)
    choices = [chosen_now(*pair, image, select) for pair, image in zip(logits, bags, strict=True)]
    prm, more = refine_step.loss_on_maps(network, maps, choices, settings, select, rng_of=rng_of)
    losses = {"loss_psm": psm.item(), "loss_prm": prm.item()}
    return psm + prm, {**numbers, **losses, **more}


def chosen_now(cls: Tensor, ins: Tensor, bags: ImageBags, settings: Select) -> ImageBags:
    """The bags with what PSM chooses by these (n, m, k) logits, as `select` would."""
    choice = select_step.selection_of(cls.detach(), ins.detach(), bags, settings)
    guided = (choice.score_cls * choice.score_ins * choice.score_dis).sum(dim=1)
    return replace(
        bags,
        chosen=choice.chosen,
        bag_scores=choice.bag_score.clamp(0, 1),
        guided_scores=guided.clamp(0, 1),
        scores=choice.score,
    )
