"""The last step of refine: from an image's refined boxes to one mask per object.

The paper takes the proposal closest to box_prm (SAPNet, Sec. 3.5). Two switches go on from there,
in this order: the bag may vote for each pixel (`refine.vote`), and SAM may be asked once more,
close up (`refine.zoom`): about the box of the voted mask, or about box_prm where none was voted.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stages.geometry.masks import Rle, masks_to_rles, rle_areas, rle_boxes, rles_to_masks
from stages.learning.bags import ImageBags
from stages.learning.refine_step import Refinement
from stages.mil.vote import vote_weights, voted_mask
from stages.segmenters.answers import without_stray_components
from stages.segmenters.zoom import Zoom
from stages.settings.refine import Refine

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
    zoom: Zoom | None,
    pixels: Callable[[], np.ndarray],
) -> list[PseudoMask]:
    """One mask per object.

    Parameters
    ----------
    bags : on the grid of the image. answer : on another; factor : its pixels per pixel.
    rles : per object the masks of its bag.
    zoom : SAM to be asked again, or None. pixels : reads the image, (height, width, 3) uint8 RGB.
    """
    masks = [
        PseudoMask(own[int(slot)], PROPOSAL) for own, slot in zip(rles, answer.chosen, strict=True)
    ]
    if settings.vote.enabled:
        masks = [_voted(i, bags, answer, own, settings) for i, own in enumerate(rles)]
    if zoom is None or not masks:
        return masks
    image, points = pixels(), bags.points.cpu().numpy()
    boxes = (answer.box_prm / factor).cpu().numpy().astype(np.float64)
    return [
        _closer(mask, box, image, point, zoom, clean=settings.clean)
        for mask, box, point in zip(masks, boxes, points, strict=True)
    ]


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
    mask: PseudoMask,
    box_prm: np.ndarray,
    image: np.ndarray,
    point: np.ndarray,
    zoom: Zoom,
    *,
    clean: float,
) -> PseudoMask:
    """What SAM says close up; the mask itself where it is empty, or where SAM then sees nothing."""
    if not rle_areas([mask.rle])[0]:
        return mask
    hull = np.asarray(rle_boxes([mask.rle])[0], dtype=np.float64)
    box = hull if mask.source == VOTE else box_prm
    found = without_stray_components(zoom.probability(image, box) > 0.5, point, clean)
    return PseudoMask(masks_to_rles(found[None])[0], ZOOM) if found.any() else mask
