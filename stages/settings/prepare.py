"""Section `prepare`: from an annotation file to images and weak labels."""

from typing import Literal

from stages.settings.section import CLOSED, Annotated, Field, dataclass


@dataclass(frozen=True, slots=True, config=CLOSED)
class Prepare:
    """How weak labels are read or drawn."""

    point: Annotated[
        Literal["given", "uniform", "quasi_center"],
        Field(
            description="given: each annotation has `point: [x, y]` in px; uniform: drawn "
            "uniformly in the mask; quasi_center: drawn near its centre (SAPNet's QC points)"
        ),
    ] = "uniform"
    sigma: Annotated[
        float, Field(gt=0, description="quasi_center: sigma of the Gaussian, in box sides")
    ] = 0.25
    size_range: Annotated[
        float, Field(gt=0, le=2, description="quasi_center: axes of the ellipse, in box sides")
    ] = 0.25
    verify: Annotated[
        Literal["decode", "header"],
        Field(description="decode every image once before any heavy work, or read headers only"),
    ] = "decode"
    undecodable: Annotated[
        Literal["fail", "skip"],
        Field(description="an image that cannot be read: stop, or name it, count it and go on"),
    ] = "fail"
