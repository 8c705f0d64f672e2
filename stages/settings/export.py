"""Section `export`: from refined instances to COCO JSON."""

from stages.settings.section import CLOSED, Annotated, Field, dataclass


@dataclass(frozen=True, slots=True, config=CLOSED)
class Export:
    """What the pseudo-label file holds beside the masks."""

    extra_masks: Annotated[
        int,
        Field(ge=0, le=3, description="runner-up masks per annotation (SAPNet, Sec. 7); 0 to 3"),
    ] = 3
