"""Keys of GrabCut: what it looks at, and how long."""

from stages.settings.section import Annotated, Field, Section


class Settings(Section):
    """GrabCut of OpenCV, from boxes: by colour, without a network."""

    iterations: Annotated[
        int, Field(ge=1, le=100, description="how often colours are learned and the box is cut")
    ] = 5
    window: Annotated[
        float,
        Field(gt=1, le=8, description="sides of what is looked at, in sides of the box"),
    ] = 1.5
    core: Annotated[
        float,
        Field(
            ge=0,
            lt=1,
            description="sides of what is surely the object, about the box's centre, in sides of "
            "the box; 0: nothing is sure",
        ),
    ] = 0.0
