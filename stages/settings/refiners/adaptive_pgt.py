"""Keys of the refiner that takes pseudo ground truth from the detections of an image's tags."""

from typing import Literal

from stages.settings.refiners.tag_masks import TagMasks
from stages.settings.section import Annotated, Field


class Settings(TagMasks):
    """Adaptive pseudo ground truth (WeakSAM, Alg. 2)."""

    score: Annotated[
        float,
        Field(
            ge=0,
            lt=1,
            description="tau_s: detections above it, of normalised score, are taken; 0.3",
        ),
    ] = 0.3
    overlap: Annotated[
        float,
        Field(
            gt=0, le=1, description="tau_o: one goes that another covers so much of; paper: 0.85"
        ),
    ] = 0.85
    norm: Annotated[
        Literal["minmax", "max"],
        Field(
            description="of the scores of a class in an image; minmax: paper; max: share of the "
            "best"
        ),
    ] = "minmax"
