"""OICR and MIST on batches of images: the loss of a training step.

WeakSAM, Sec. 3.3; the mathematics is in `stages.mil.wsddn`, `oicr`, `mist` and `drop_block`. Each
image is judged by itself and the batch's loss is the mean over images, so that a batch of two is
two batches of one. One departure, two keys and off in the papers: the proposals' shares of the
two-branch head start from a prior, by size and by the segmenter's predicted IoU (`head_size`,
`head_quality`), as SAPNet's S starts from S_dis. Without it the head locks on a striking part of
some class, in each training of another one, and teaches all branches that.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from stages.learning.bag_index import Cut
from stages.learning.inputs import Inputs
from stages.learning.tag_bags import TagBags, tag_bags
from stages.learning.tag_network import Answer, TagNetwork, open_tag_network
from stages.mil import mist, oicr, wsddn
from stages.runtime.randomness import Purpose, rng_of
from stages.settings.refine import Refine
from stages.settings.select import Select
from stages.settings.selectors.psm import Features
from stages.settings.selectors.tag_heads import TagHeads

CLASSES = "classes"
Parts = dict[str, Tensor]  # of an image's loss


def cut_of(select: Select) -> Cut:
    """What cuts the bag of an image's tags."""
    min_side = select.block.min_side

    def cut(
        image: Mapping[str, Any],
        labels: pa.Table,
        proposals: pa.Table,
        selections: pa.Table | None,
        order: Mapping[int, int],
    ) -> TagBags:
        return tag_bags(image, labels, proposals, order, min_side=min_side)

    return cut


def heads(classes: int, select: Select, refine: Refine) -> dict[str, int]:
    """Number of classes; the columns of each branch follow from it."""
    return {CLASSES: classes}


def network_of(
    features: Features, inputs: Inputs, heads: Mapping[str, int], select: Select, *, precision: str
) -> TagNetwork:
    """The fresh network that is trained."""
    return open_tag_network(inputs, select.block, heads[CLASSES], precision=precision)


def step_loss(
    network: TagNetwork,
    pixels: Tensor,
    bags: list[TagBags],
    select: Select,
    refine: Refine,
    *,
    seed: int,
    step: int,
) -> tuple[Tensor, dict[str, float]]:
    """Mean loss of the images of a batch, and numbers for the log.

    They are the loss's parts, phi of the classes that are there (`image_score`), and the share of
    proposals that are taken as foreground.
    """
    settings: TagHeads = select.block
    boxes = [image.usable() for image in bags]
    noise = _noise(bags, settings, seed=seed, step=step) if network.drop is not None else None
    answers = network.answers(pixels, boxes, noise)
    pairs = zip(answers, bags, strict=True)
    found = [image_losses(answer, image, settings) for answer, image in pairs]
    loss = torch.stack([parts["loss"] for parts in found]).mean()
    names = [name for name in found[0] if name != "loss"]
    numbers = {name: _mean([parts[name] for parts in found]) for name in names}
    return loss, {"images": len(bags), "proposals": sum(map(len, boxes)), **numbers}


def _mean(values: Sequence[Tensor]) -> float:
    return torch.stack(list(values)).mean().item()


def _noise(bags: Sequence[TagBags], settings: TagHeads, *, seed: int, step: int) -> Tensor:
    """(sum r_i, s, s) uniform in [0, 1): of each image's own generator."""
    side = settings.features.roi_size
    drawn = []
    for image in bags:
        rng = rng_of(seed, Purpose.DROP_BLOCK, step, image.image_id)
        drawn.append(rng.random((int(image.valid.sum()), side, side), dtype=np.float32))
    return torch.from_numpy(np.concatenate(drawn)).to(bags[0].boxes.device)


def image_losses(answer: Answer, bags: TagBags, settings: TagHeads) -> Parts:
    """`loss` of one image and what it is made of, detached; all 0 without box or tag."""
    boxes, ahead = bags.usable(), int(settings.background)
    start = bags.start(size=settings.head_size, quality=settings.head_quality)
    shares = wsddn.proposal_shares(answer.ins + start, [len(boxes)])
    scores = wsddn.class_shares(answer.cls) * shares
    phi = wsddn.image_scores(scores, [len(boxes)])  # (1, ahead + c)
    tags = torch.cat([bags.tags.new_zeros(ahead), bags.tags])
    teaches = len(boxes) > 0 and bool(bags.tags.any())
    mil = wsddn.mil_loss(phi, tags[None], reduction=settings.bce)[0] * float(teaches)
    refined, moved, share = branch_losses(answer, scores[:, ahead:].detach(), bags, settings)
    own = phi[0, ahead:].detach() * bags.tags
    return {
        "loss": mil + refined + moved,
        "loss_mil": mil.detach(),
        "loss_refine": refined.detach(),
        "loss_box": moved.detach(),
        "image_score": own.sum() / bags.tags.sum().clamp(min=1),
        "foreground": share,
    }


def branch_losses(
    answer: Answer, source: Tensor, bags: TagBags, settings: TagHeads
) -> tuple[Tensor, Tensor, Tensor]:
    """Losses of the classes and of the boxes over all branches, and the mean share of foreground.

    Parameters
    ----------
    source : (u, c) scores of the two-branch head, which teach the first branch; each branch teaches
        the next one.
    """
    boxes = bags.usable()
    refined, moved, share = (source.new_zeros(()) for _ in range(3))
    for k, logits in enumerate(answer.refined):
        seeds = seeds_of(source, boxes, bags.tags, settings)
        strict = settings.seeds == "oicr_top1"
        found = oicr.assigned(boxes, seeds, iou=settings.fg_iou, strict=strict)
        weights = found.weights * (settings.first_weight if k == 0 else 1.0)
        refined = refined + oicr.refine_loss(logits, found.labels, weights)
        if answer.moves and len(seeds.rows):
            targets = mist.offsets(boxes, boxes[seeds.rows][found.seeds])
            moved = moved + mist.box_loss(answer.moves[k], found.labels, targets, weights)
        share = share + (found.labels > 0).sum() / max(len(boxes), 1)
        source = logits.detach().softmax(dim=1)[:, 1:]
    return refined, moved, share / max(len(answer.refined), 1)


def seeds_of(scores: Tensor, boxes: Tensor, tags: Tensor, settings: TagHeads) -> oicr.Seeds:
    """Seeds of an image by the rule that the settings name."""
    if settings.seeds == "oicr_top1":
        return oicr.top1_seeds(scores, tags)
    if settings.seeds == "oicr_multi":
        return oicr.multi_seeds(scores, tags, boxes)
    return mist.mist_seeds(scores, tags, boxes, share=settings.share)
