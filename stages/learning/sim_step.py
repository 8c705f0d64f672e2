"""What SIM's teacher loses on a batch.

SIM (Li et al., CVPR 2023), Eq. 10: L = L_fcos + L_proj + L_pair + lambda_1 L_pseudo + lambda_2
L_paste. The pairwise loss rises to its whole over the first steps, which are counted by the
training itself, so that a training that goes on after a cut does not begin anew, as the authors'
code does. A label without a positive counts nothing in the mask losses.

A pasted object is an object of the new picture: it counts in the losses of class, box, projection
and pairs as any other. Its mask counts in L_paste alone (Eq. 9), never in L_pseudo, so that it is
not learned twice and a lambda_2 of 0 leaves it to its box. L_paste is the mean over the pasted
positives, as L_pseudo is over its own; Eq. 9 prints a sum, which would grow with their number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stages.box_supervision.box_grid import boxes_on_grid
from stages.box_supervision.colour_pairs import pairwise_loss, pairwise_parts
from stages.box_supervision.positives import assigned, best_positives
from stages.box_supervision.projection import projection_loss
from stages.box_supervision.pseudo_mask_loss import pseudo_mask_loss
from stages.learning.sim_batches import TeacherBatch
from stages.learning.sim_masks import Shown, on_grid, uncovered
from stages.segmenters.location_masks import FINER
from stages.segmenters.sim_network import Seen, Teacher
from stages.settings.segmenters.sim import Settings

MAPS = ("logits", "boxes", "wanted", "weights", "pasted")  # of Positives, of one size in a batch
FCOS_PARTS = {"classification": "class", "bbox_regression": "box", "bbox_ctrness": "centre"}


@dataclass(frozen=True, slots=True)
class Positives:
    """The masks of the chosen locations of an image, p in all.

    logits : (p, h, w). boxes : (p, h, w) of 0 and 1, without what is pasted over them. wanted,
    weights : (p, h, w), masks and their weights. pasted : (p,) bool, whether they are of pasted
    objects. pairs : how much pixels of one colour disagree in them, and how many.
    """

    logits: Tensor
    boxes: Tensor
    wanted: Tensor
    weights: Tensor
    pasted: Tensor
    pairs: tuple[Tensor, int]


def losses(
    teacher: Teacher, seen: Seen, batch: TeacherBatch, settings: Settings
) -> tuple[dict[str, Tensor], int]:
    """Each part of the loss with its weight, and the number of masks that were looked at."""
    training, shown, device = settings.training, batch.shown, seen.centres.device
    owners = [assigned(seen.centres, seen.strides, one.boxes.to(device)) for one in shown]
    parts = fcos_losses(teacher, seen, shown, owners)
    found = [
        positives_of(teacher, seen, place, one, owner, batch.similarity[place], settings)
        for place, (one, owner) in enumerate(zip(shown, owners, strict=True))
    ]
    logits, boxes, wanted, weights, pasted = (
        torch.cat([getattr(one, name) for one in found]) for name in MAPS
    )
    ramp = min(batch.step / training.pairwise_warmup, 1.0) if training.pairwise_warmup else 1.0
    parts["projection"] = projection_loss(logits.sigmoid(), boxes)
    pairs = pairwise_loss([one.pairs for one in found])
    parts["pairwise"] = training.lambda_pairwise * ramp * pairs
    told = weights.flatten(1).any(1)
    for name, factor, which in (
        ("pseudo", training.lambda_pseudo, told & ~pasted),
        ("paste", training.lambda_paste, told & pasted),
    ):
        masks = [each[which] for each in (logits, wanted, weights)]
        parts[name] = factor * pseudo_mask_loss(*masks)
    return parts, len(logits)


def fcos_losses(
    teacher: Teacher, seen: Seen, shown: Sequence[Shown], owners: Sequence[Tensor]
) -> dict[str, Tensor]:
    """Those of torchvision's FCOS: class, box and centre, over all locations of a batch."""
    device = seen.centres.device
    targets = [{"boxes": o.boxes.to(device), "labels": o.classes.to(device)} for o in shown]
    heads = {name: values.float() for name, values in seen.heads.items()}
    cells = [seen.cells] * len(shown)
    found = teacher.head.compute_loss(targets, heads, cells, list(owners))
    return {FCOS_PARTS[name]: value for name, value in found.items()}


def positives_of(
    teacher: Teacher,
    seen: Seen,
    image: int,
    shown: Shown,
    owners: Tensor,
    similarity: Tensor,
    settings: Settings,
) -> Positives:
    """The masks of an image's chosen locations, with what they are held against.

    Parameters
    ----------
    image : its place in the batch. owners : (k,) object of each location. similarity : (8, h, w).
    """
    device, training = owners.device, settings.training
    places = torch.nonzero(owners >= 0)[:, 0]
    classes = shown.classes.to(device)
    scores = seen.scores(image, places, classes[owners[places]]).detach()
    kept = best_positives(owners[places], scores, len(classes), most=training.positives)
    places = places[kept]
    own, logits = owners[places], teacher.logits(seen, image, places)
    height, width = similarity.shape[1:]
    cell = teacher.stride // FINER
    whole = boxes_on_grid(shown.boxes, height, width, cell=cell)
    masks, looked_at = on_grid(shown.masks, height, width, cell=cell)
    maps = (uncovered(whole, shown, cell=cell), masks, looked_at * whole)
    boxes, wanted, weights = (each.to(device)[own] for each in maps)
    limit = training.pairwise_threshold
    pairs = pairwise_parts(logits, similarity.to(device), boxes, threshold=limit)
    pasted = own >= len(classes) - shown.pasted
    return Positives(logits, boxes, wanted, weights, pasted, pairs)
