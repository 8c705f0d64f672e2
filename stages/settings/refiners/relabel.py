"""Keys of refiner `relabel`: `refine.relabel`."""

from typing import Literal

from stages.settings.section import CHOOSE, Annotated, Field, Section


class Settings(Section):
    """The detector of the round before judges each label; not in the papers."""

    rule: Annotated[
        Literal["selective", "majority"],
        Field(
            description="selective: a label is replaced where it is bad, or where a surer "
            "detection disagrees; majority: the pixels of most of label, detection and close-up"
        ),
        CHOOSE,
    ] = "selective"
    mask: Annotated[
        Literal["close_up", "detector", "proposal"],
        Field(
            description="what stands for a detection: the segmenter's answer to its box, close up "
            "(refine.zoom), its own mask, or the closest of the bag"
        ),
        CHOOSE,
    ] = "close_up"
    overlap: Annotated[
        float,
        Field(ge=0, le=1, description="IoU with the label below which a detection disagrees"),
        CHOOSE,
    ] = 0.7
    box_fit: Annotated[
        float,
        Field(ge=0, le=1, description="IoU of a mask's hull with a given box from which it fits"),
        CHOOSE,
    ] = 0.7
    near: Annotated[
        float,
        Field(ge=0, le=1, description="IoU with a tag's label from which a detection is about it"),
        CHOOSE,
    ] = 0.3
    cross_fit: Annotated[
        bool,
        Field(
            description="true: an image is judged by a detector that has not learned from it, one "
            "of two that learn from half of the images each: two more trainings"
        ),
        CHOOSE,
    ] = False
    rescore: Annotated[
        Literal["none", "class", "agreement"],
        Field(
            description="a label's score; class: how sure that detector is of it; agreement: times "
            "the IoU of what it saw with the label, as it was and as it is; none: as before"
        ),
        CHOOSE,
    ] = "agreement"
