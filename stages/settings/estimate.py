"""Section `estimate`: what `snakemake estimate` reckons with."""

from typing import Literal

from stages.settings.section import Annotated, Field, Section


class Estimate(Section):
    """For which machine a run is reckoned, and how long may be measured for it."""

    device: Annotated[
        Literal["here", "a100", "h100", "h200", "l4", "t4"],
        Field(
            description="here: measured on this machine with the run's own device; else a GPU by "
            "published numbers, of which the text names the source"
        ),
    ] = "here"
    images: Annotated[
        int, Field(ge=1, le=256, description="the segmenter is tried on so many images at most")
    ] = 6
    seconds: Annotated[
        float, Field(gt=0, le=3600, description="s; after so long no further image is tried")
    ] = 60.0
