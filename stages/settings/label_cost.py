"""Section `label_cost`: kinds of labels side by side, and the seconds that a person needs for them.

The seconds are those of papers, none is measured here; docs/label_cost.md says which of them were
looked up, and how they add up.
"""

from typing import Any, Self

from pydantic import model_validator

from stages.settings.overrides import FULLY_SUPERVISED
from stages.settings.section import Annotated, Field, Section

RECIPES = "workflow/recipes"
# Variants by their kind of labels. A share of masks that the config has is that of `mix` alone.
KINDS: dict[str, dict[str, Any]] = {
    "tags": {"recipe": f"{RECIPES}/weaksam_demo.yaml", "prepare": {"mask_share": 0.0}},
    "points": {"prepare": {"labels": "point", "mask_share": 0.0}},
    **{
        f"boxes_{name}": {"recipe": f"{RECIPES}/{file}.yaml", "prepare": {"mask_share": 0.0}}
        for name, file in (("sam", "sam_box_demo"), ("caseg", "boxcaseg_demo"), ("sim", "sim_demo"))
    },
    "mix": {"of": "points", "prepare": {"mask_share": 0.1}},
}


class Seconds(Section):
    """What a person needs, in seconds; a class that is labelled in an image is not asked for."""

    tag: Annotated[
        float,
        Field(
            ge=0,
            description="to say whether a class is in an image (Bearman et al., ECCV 2016: 20 s "
            "for the 20 classes of VOC)",
        ),
    ] = 1.0
    first_point: Annotated[
        float,
        Field(ge=0, description="to click at the first object of a class (Bearman et al.: 2.4 s)"),
    ] = 2.4
    point: Annotated[
        float, Field(ge=0, description="at each further one of it (Bearman et al.: 0.9 s)")
    ] = 0.9
    box: Annotated[
        float,
        Field(
            ge=0,
            description="to draw a box by its four extreme points (Papadopoulos et al., ICCV 2017: "
            "7 s; by its corners, Su et al., HCOMP 2012: 35 s)",
        ),
    ] = 7.0
    mask: Annotated[
        float,
        Field(
            ge=0,
            description="to outline an object by polygons (Lin et al., ECCV 2014: 22 hours for "
            "1,000 of COCO)",
        ),
    ] = 79.2


class LabelCost(Section):
    """What `snakemake label_cost` runs and compares."""

    variants: Annotated[
        tuple[str, ...],
        Field(
            min_length=1,
            description="names out of `variants`, one for each kind of labels; fully_supervised: "
            "a detector that learns from true masks, to which the others are compared",
        ),
    ] = (*KINDS, FULLY_SUPERVISED)
    seeds: Annotated[
        tuple[int, ...],
        Field(
            min_length=1,
            description="each is run with each of them, and a detector is trained on it; see "
            "report.seeds",
        ),
    ] = (1, 2, 3)
    seconds: Annotated[Seconds, Field(description="that a label takes a person")] = Seconds()

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        for key, names in (("variants", self.variants), ("seeds", self.seeds)):
            if len(set(names)) < len(names):
                raise ValueError(f"{{at}}.{key}: {list(names)} names one twice")
        return self
