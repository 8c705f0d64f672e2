"""P2BNet on batches of images: the loss of a training step, and the boxes of one image.

Chen et al. (ECCV 2022), Sec. 3.2 to 3.4; boxes are in `stages.mil.p2b`, scores and losses in
`stages.mil.psm` and `stages.mil.prm`. CBP scores by a softmax over classes, PBR by a sigmoid, both
by a softmax over each bag. What CBP hands to PBR, boxes and bag scores, is detached. Departure: PBR
may be asked again about its own boxes (`rounds`, 1 in the paper), by the same weights.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stages.learning.point_bags import PointBags
from stages.learning.two_branch import TwoBranch
from stages.mil import p2b, prm
from stages.mil.pnpg import background_boxes, is_background
from stages.mil.psm import bag_scores, of_label, proposal_scores, psm_loss
from stages.runtime.randomness import Purpose, rng_of
from stages.settings.box_networks.p2b import Finer, Settings

COARSE, FINER = "cbp", "pbr"  # names of the heads


@dataclass(frozen=True, slots=True)
class Found:
    """What CBP says of the n objects of a batch.

    bags : (n, k) bag scores. own : (n,) that of each object's class, detached. boxes : (n, 4) px of
    the network's input, merged, detached.
    """

    bags: Tensor
    own: Tensor
    boxes: Tensor


def heads(classes: int) -> dict[str, int]:
    """Columns of each head: one per class."""
    return {COARSE: classes, FINER: classes}


def step_loss(
    network: TwoBranch,
    pixels: Tensor,
    bags: list[PointBags],
    settings: Settings,
    *,
    seed: int,
    step: int,
) -> tuple[Tensor, dict[str, float]]:
    """L_CBP + L_PBR of a batch, and numbers for the log.

    Parameters
    ----------
    bags : at least one object in each, in px of the network's input.
    """
    maps = network.feature_maps(pixels)
    labels = torch.cat([image.labels for image in bags])
    found = coarse_found(network, maps, bags, settings)
    first = psm_loss(found.bags, labels, torch.ones_like(labels, dtype=torch.bool))
    finer = finer_bags(found.boxes, bags, settings.finer)
    cls, ins = _logits(network, FINER, maps, finer)
    positive = prm.positive_loss(prm.positive_bags(cls, ins, _all(cls)), labels, found.own)
    rngs = [rng_of(seed, Purpose.ENHANCE, step, image.image_id) for image in bags]
    drawn = [
        negatives(boxes, image.size, settings.finer, rng=rng)
        for boxes, image, rng in zip(finer, bags, rngs, strict=True)
    ]
    negative = _negative(network, maps, drawn, found.own, settings.finer)
    alpha = settings.finer.alpha
    loss = settings.coarse.weight * first + alpha * positive + (1 - alpha) * negative
    parts = {"coarse": first, "positive": positive, "negative": negative}
    numbers = {name: value.item() for name, value in parts.items()}
    counts = {"images": len(bags), "objects": len(labels), "negatives": sum(map(len, drawn))}
    return loss, {**counts, **numbers, "bag_score": found.own.mean().item()}


def coarse_found(
    network: TwoBranch, maps: list[Tensor], bags: list[PointBags], settings: Settings
) -> Found:
    """CBP on the objects of a batch."""
    keys = settings.coarse
    more = {"scales": keys.scales, "ratios": keys.ratios}
    boxes = [p2b.coarse_boxes(i.points, i.size, **more, shift=keys.shift) for i in bags]
    cls, ins = _logits(network, COARSE, maps, boxes)
    scores = proposal_scores(cls, ins, _all(cls))  # (n, m, k)
    labels = torch.cat([image.labels for image in bags])
    summed = bag_scores(scores)
    own = summed.detach().gather(1, labels[:, None])[:, 0].clamp(0, 1)
    best = of_label(scores.detach(), labels)
    return Found(summed, own, p2b.merged(torch.cat(boxes), best, top=settings.top))


def finer_bags(boxes: Tensor, bags: list[PointBags], settings: Finer) -> list[Tensor]:
    """PBR's boxes of each image, (n_i, p, 4), about those of all objects of a batch, (n, 4)."""
    parts = torch.split(boxes, [len(image.points) for image in bags])
    return [
        p2b.refined_boxes(own, image.size, factors=settings.factors, shift=settings.shift)
        for own, image in zip(parts, bags, strict=True)
    ]


def negatives(
    finer: Tensor, size: tuple[float, float], settings: Finer, *, rng: np.random.Generator
) -> Tensor:
    """Boxes drawn in one image that are far from all its bags, (n, p, 4): (u, 4) px."""
    drawn = torch.from_numpy(rng.random((4, settings.negatives)).astype(np.float32))
    boxes = background_boxes(drawn.to(finer.device), size)
    return boxes[is_background(boxes, finer.reshape(-1, 4), t_neg1=settings.t_neg)]


@torch.inference_mode()
def image_boxes(
    network: TwoBranch, pixels: Tensor, bags: PointBags, settings: Settings, *, rounds: int
) -> Tensor:
    """The box of each object of one image, (n, 4) px of the network's input.

    Parameters
    ----------
    rounds : how often PBR is asked; 0: the boxes of CBP.
    """
    maps = network.feature_maps(pixels)
    boxes = coarse_found(network, maps, [bags], settings).boxes
    for _ in range(rounds):
        finer = finer_bags(boxes, [bags], settings.finer)
        cls, ins = _logits(network, FINER, maps, finer)
        scores = prm.prm_scores(cls, ins, _all(cls), mode="sigmoid")
        boxes = p2b.merged(finer[0], of_label(scores, bags.labels), top=settings.top)
    return boxes


def _logits(
    network: TwoBranch, head: str, maps: list[Tensor], boxes: list[Tensor]
) -> tuple[Tensor, Tensor]:
    """Logits of bags that are equally long: cls and ins, (n, m, k), of all images together."""
    cls, ins = network.logits(head, network.vectors(maps, [b.reshape(-1, 4) for b in boxes]))
    shape = (sum(map(len, boxes)), boxes[0].shape[1], cls.shape[1])
    return cls.view(shape), ins.view(shape)


def _all(cls: Tensor) -> Tensor:
    """Every box of a bag counts: (n, m) true, of (n, m, k)."""
    return torch.ones(cls.shape[:2], dtype=torch.bool, device=cls.device)


def _negative(
    network: TwoBranch, maps: list[Tensor], drawn: list[Tensor], own: Tensor, settings: Finer
) -> Tensor:
    """L_neg of the boxes drawn in each image; 0 without one."""
    count = sum(map(len, drawn))
    if not count:
        return own.new_zeros(())
    cls, _ = network.logits(FINER, network.vectors(maps, drawn))
    keep = torch.ones(count, device=cls.device)
    objects, norm = len(own), settings.neg_norm
    return prm.negative_loss(cls, keep, beta=own.mean(), objects=objects, norm=norm)
