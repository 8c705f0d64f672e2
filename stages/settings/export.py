"""Section `export`: from refined instances to COCO JSON."""

from typing import Literal

from stages.settings.section import CLOSED, Annotated, Field, dataclass


@dataclass(frozen=True, slots=True, config=CLOSED)
class Transform:
    """One step from pseudo-labels to pseudo-labels; each step reads the keys that it names."""

    name: Annotated[
        Literal["merge_smaller", "agreement", "drop_below"],
        Field(
            description="merge_smaller: a pixel belongs to the smallest object that claims it; "
            "agreement: a mask whose box fits the known box badly gets mask_weight 0; drop_below: "
            "less sure annotations are left out (BoxCaseg)"
        ),
    ]
    box: Annotated[
        Literal["given", "refined"],
        Field(description="agreement, known box: of the weak label, or the one that refine found"),
    ] = "refined"
    threshold: Annotated[
        float, Field(ge=0, le=1, description="agreement: the IoU must be above; COCO: 0.95")
    ] = 0.95
    convention: Annotated[
        Literal["half_open", "authors"],
        Field(description="agreement: authors: +1 px, so that no object under 39 px reaches 0.95"),
    ] = "half_open"
    score: Annotated[float, Field(ge=0, le=1, description="drop_below: least score kept")] = 0.5


@dataclass(frozen=True, slots=True, config=CLOSED)
class Export:
    """What the pseudo-label file holds beside the masks."""

    transforms: Annotated[
        tuple[Transform, ...],
        Field(
            description="in this order, such as [{name: merge_smaller}, {name: agreement}, "
            "{name: drop_below, score: 0.5}]"
        ),
    ] = ()
    extra_masks: Annotated[
        int,
        Field(ge=0, le=3, description="runner-up masks per annotation (SAPNet, Sec. 7); 0 to 3"),
    ] = 3
