"""Section `evaluate`: what is measured against ground truth."""

from stages.settings.section import CLOSED, Annotated, Field, dataclass


@dataclass(frozen=True, slots=True, config=CLOSED)
class Evaluate:
    """Definitions of the error shares; every mask is compared with the object's own mask."""

    group_cover: Annotated[
        float,
        Field(
            gt=0, le=1, description="group error: covers this share of another object of the class"
        ),
    ] = 0.5
    local_cover: Annotated[
        float, Field(gt=0, le=1, description="local error: covers less than this of its object ...")
    ] = 0.5
    local_inside: Annotated[
        float, Field(gt=0, le=1, description="... and more than this of the mask lies inside it")
    ] = 0.6
