"""What the heads of BoxCaseg see in boxes, once more, for a person to look at: no stage stores it.

BoxCaseg (CVPR 2021), Sec. 3. How the network was asked stands in the header of the proposals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from stages.box_supervision.box_crops import Crop
from stages.segmenters.boxcaseg import head_maps, opened_segmenter
from stages.settings.propose import Propose
from stages.settings.section import from_values
from stages.tables.headers import checked_header
from stages.tables.proposals import PROPOSALS

NAME = "boxcaseg"


@dataclass(frozen=True, slots=True)
class ShownCrop:
    """One box as the network saw it.

    crop : x0, y0, x1, y1 px of the image. maps : of each head, and `mixed`, which is asked, (size,
    size) float32 probabilities, before they are stretched.
    """

    crop: Crop
    maps: dict[str, np.ndarray]


def shown_crops(
    proposals: Path, pixels: np.ndarray, boxes: Sequence[np.ndarray], *, model: Path
) -> list[ShownCrop]:
    """The crops of boxes of one image, on the CPU.

    Parameters
    ----------
    proposals : a shard of table `proposals`. pixels : (height, width, 3) uint8 RGB.
    boxes : (4,) xyxy px each. model : of fit_propose.

    Raises
    ------
    ValueError : the proposals are of another segmenter, or the model is missing or does not fit.
    """
    values = checked_header(proposals, PROPOSALS)["settings"]
    if values["segmenter"] != NAME:
        raise ValueError(
            f"--crops: {proposals} is of {values['segmenter']}, which has no heads to show. Leave "
            f"it out, or name a run of propose.segmenter: {NAME}."
        )
    settings = from_values(Propose, values, "propose").boxcaseg
    segmenter = opened_segmenter(settings, device=torch.device("cpu"), model=model)
    return [ShownCrop(*head_maps(segmenter, pixels, box)) for box in boxes]
