"""PSM on batches of images: the loss of a training step, and the choice in one image.

SAPNet, Sec. 3.2; the equations are in `stages.mil.psm` and `stages.mil.pdg`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from stages.learning.bags import ImageBags
from stages.learning.two_branch import TwoBranch
from stages.mil.pdg import guidance
from stages.mil.psm import (
    bag_scores,
    class_scores,
    instance_scores,
    of_label,
    proposal_scores,
    psm_loss,
)
from stages.settings.refine import Refine
from stages.settings.select import Select

Logits = tuple[Tensor, Tensor]  # cls and ins of one image, (n, m, k)


@dataclass(frozen=True, slots=True)
class Selection:
    """PSM's answer for one image, every field (n, m) of the labelled class, padding included.

    chosen : (n,) slots. bag_score : (n,) sum of S_cls S_ins over the bag.
    """

    score_cls: Tensor
    score_ins: Tensor
    score_dis: Tensor
    score: Tensor
    chosen: Tensor
    bag_score: Tensor


def image_logits(
    network: TwoBranch, head: str, maps: list[Tensor], boxes: list[Tensor]
) -> list[Logits]:
    """Logits of each image's (n, m, 4) boxes: per image cls and ins, (n, m, k)."""
    flat = [b.reshape(-1, 4) for b in boxes]
    cls, ins = network.logits(head, network.vectors(maps, flat))
    counts = [len(b) for b in flat]
    shapes = [b.shape[:2] for b in boxes]
    pairs = zip(torch.split(cls, counts), torch.split(ins, counts), shapes, strict=True)
    columns = cls.shape[1]  # not -1, which is ambiguous for no object
    return [(c.reshape(*s, columns), i.reshape(*s, columns)) for c, i, s in pairs]


def pdg_of(boxes: Tensor, bags: ImageBags, settings: Select) -> Tensor:
    """S_raw of any (n, m, 4) boxes of the bags' objects."""
    pdg = settings.psm.pdg
    return guidance(
        boxes,
        bags.points,
        bags.labels,
        distance=pdg.distance,
        min_distance=pdg.min_distance,
        bags=(bags.boxes, bags.valid) if pdg.neighbour == "bag" else None,
    )


def heads(classes: int, select: Select, refine: Refine) -> dict[str, int]:
    """Columns of each head that is trained: one per class, and one for the background or none."""
    return {"psm": classes + int(select.psm.background)}


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
    """L_psm of a batch, and numbers for the log; nothing in it is random."""
    return select_loss(network, pixels, bags, select)


def select_loss(
    network: TwoBranch, pixels: Tensor, bags: list[ImageBags], settings: Select
) -> tuple[Tensor, dict[str, float]]:
    """Weighted L_psm of a batch, and numbers for the log."""
    logits = psm_logits(network, network.feature_maps(pixels), bags)
    return loss_of_logits(logits, bags, settings)


def psm_logits(network: TwoBranch, maps: list[Tensor], bags: list[ImageBags]) -> list[Logits]:
    """PSM's logits of each image's bags."""
    return image_logits(network, "psm", maps, [image.boxes for image in bags])


def loss_of_logits(
    logits: list[Logits], bags: list[ImageBags], settings: Select
) -> tuple[Tensor, dict[str, float]]:
    """As `select_loss`, from PSM's logits."""
    scores = [
        _training_scores(*pair, image, settings) for pair, image in zip(logits, bags, strict=True)
    ]
    summed = torch.cat([bag_scores(s) for s in scores])  # (objects of the batch, k)
    labels = torch.cat([image.labels for image in bags])
    usable = torch.cat([image.usable() for image in bags])
    loss = settings.psm.loss_weight * psm_loss(summed, labels, usable)
    counts = {"images": len(bags), "objects": int(usable.sum())}
    return loss, {**counts, "bag_score": mean_own(summed[usable], labels[usable])}


def mean_own(summed: Tensor, labels: Tensor) -> float:
    """Mean bag score of the labelled classes, (n, k) and (n,), for the log; 0 without a bag."""
    own = summed.detach().gather(1, labels[:, None])
    return own.sum().item() / max(len(own), 1)


def _training_scores(cls: Tensor, ins: Tensor, bags: ImageBags, settings: Select) -> Tensor:
    apply, exponent = settings.psm.pdg.apply, settings.psm.pdg.exponent
    if apply not in ("score", "logits"):
        return proposal_scores(cls, ins, bags.valid)
    factor = pdg_of(bags.boxes, bags, settings) ** exponent
    if apply == "logits":  # the authors' code; turns the wrong way for negative logits
        return proposal_scores(cls * factor[..., None], ins, bags.valid)
    return proposal_scores(cls, ins, bags.valid, guidance=factor)


@torch.inference_mode()
def select_image(
    network: TwoBranch, pixels: Tensor, bags: ImageBags, settings: Select
) -> Selection:
    """PSM's choice in one image."""
    [(cls, ins)] = psm_logits(network, network.feature_maps(pixels), [bags])
    return selection_of(cls, ins, bags, settings)


def selection_of(cls: Tensor, ins: Tensor, bags: ImageBags, settings: Select) -> Selection:
    """PSM's choice in one image from its (n, m, k) logits."""
    classes = of_label(class_scores(cls), bags.labels)
    instances = of_label(instance_scores(ins, bags.valid), bags.labels)
    dis = pdg_of(bags.boxes, bags, settings) ** settings.psm.pdg.exponent
    plain = proposal_scores(cls, ins, bags.valid)  # (n, m, k)
    is_guided = settings.psm.pdg.apply in ("score", "selection")
    whole = proposal_scores(cls, ins, bags.valid, guidance=dis) if is_guided else plain
    score = of_label(whole, bags.labels) * bags.quality**settings.psm.quality_exponent
    score = score.masked_fill(~bags.valid, 0.0)
    best = score.masked_fill(~bags.valid, -1.0).argmax(dim=1)  # the first where all are empty
    return Selection(classes, instances, dis, score, best, of_label(plain, bags.labels).sum(dim=1))
