"""The last step of refine: from an image's refined boxes to one mask per object.

The paper takes the proposal closest to box_prm (SAPNet, Sec. 3.4). Two switches go on from there,
in this order: the bag may vote for each pixel (`refine.vote`), and the segmenter may be asked
once more,
close up (`refine.zoom`): about the box of the voted mask, or about box_prm where none was voted; or
about the box that a person gave, to which what is seen may be cut.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from stages.geometry.masks import Rle, masks_to_rles, rle_areas, rle_boxes, rle_of, rles_to_masks
from stages.learning.bags import ImageBags
from stages.learning.refinement import Refinement
from stages.mil.vote import vote_weights, voted_mask
from stages.segmenters.answers import cut_to, without_stray_components
from stages.settings.refine import Refine

Closer = Callable[[np.ndarray], list[bytes]]
Given = tuple[float, float, float, float] | None
PROPOSAL, VOTE, ZOOM = "proposal", "vote", "zoom"  # values of column mask_source


@dataclass(frozen=True, slots=True)
class PseudoMask:
    """A mask and where it comes from: proposal, vote or zoom."""

    rle: Rle
    source: str


def pseudo_masks(
    bags: ImageBags,
    answer: Refinement,
    rles: list[list[Rle]],
    settings: Refine,
    *,
    factor: float,
    closer: Closer | None,
    given: Sequence[Given] = (),
) -> list[PseudoMask]:
    """One mask per object.

    Parameters
    ----------
    bags : on the grid of the image. answer : on another; factor : its pixels per pixel.
    rles : per object the masks of its bag.
    closer : (n, 4) boxes, xyxy px of the image, to the COCO counts of what is seen close up about
        each; None where nobody is asked.
    given : per object the box that a person gave, xyxy px, or None; empty: nobody gave any.
    """
    masks = [
        PseudoMask(own[int(slot)], PROPOSAL) for own, slot in zip(rles, answer.chosen, strict=True)
    ]
    if settings.vote.enabled:
        masks = [_voted(i, bags, answer, own, settings) for i, own in enumerate(rles)]
    if closer is None:
        return masks
    boxes = list(given) or [None] * len(masks)
    return _closer(bags, answer.box_prm / factor, masks, settings, closer, boxes)


def _voted(
    i: int, bags: ImageBags, answer: Refinement, rles: list[Rle], settings: Refine
) -> PseudoMask:
    assert bags.scores is not None
    count = len(rles)
    weights = vote_weights(
        bags.scores[i, :count].cpu().numpy(),
        answer.scores[i, :count].cpu().numpy(),
        bags.quality[i, :count].cpu().numpy(),
        exponent=settings.vote.quality_exponent,
    )
    voted = voted_mask(rles_to_masks(rles), weights, threshold=settings.vote.threshold)
    mask = without_stray_components(voted, bags.points[i].cpu().numpy(), settings.clean)
    return PseudoMask(masks_to_rles(mask[None])[0], VOTE)


def _closer(
    bags: ImageBags,
    box_prm: Tensor,
    masks: list[PseudoMask],
    settings: Refine,
    closer: Closer,
    given: Sequence[Given],
) -> list[PseudoMask]:
    """What is seen close up; a mask stays where it is empty, or where nothing is seen then."""
    filled = [i for i, mask in enumerate(masks) if rle_areas([mask.rle])[0]]
    refined = box_prm.cpu().numpy().astype(np.float64)
    own = given if settings.zoom.about == "given" else [None] * len(masks)
    boxes = np.array([_about(masks[i], refined[i], own[i]) for i in filled]).reshape(-1, 4)
    found, points = list(masks), bags.points.cpu().numpy()
    size = (int(bags.size[0]), int(bags.size[1]))
    for i, counts in zip(filled, closer(boxes), strict=True):
        seen = rles_to_masks([rle_of(counts, *size)])[0].astype(bool)
        if settings.zoom.cut and given[i] is not None:
            seen = cut_to(seen, np.array(given[i]))
        cleaned = without_stray_components(seen, points[i], settings.clean)
        if cleaned.any():
            found[i] = PseudoMask(masks_to_rles(cleaned[None])[0], ZOOM)
    return found


def _about(mask: PseudoMask, box_prm: np.ndarray, given: Given) -> np.ndarray:
    """The box that is looked at: given, else of the voted mask, else the refined one."""
    if given is not None:
        return np.array(given, dtype=np.float64)
    hull = np.asarray(rle_boxes([mask.rle])[0], dtype=np.float64)
    return hull if mask.source == VOTE else box_prm
