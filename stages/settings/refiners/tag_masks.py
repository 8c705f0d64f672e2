"""Keys that the refiners of tags share: from a box to a mask."""

from typing import Literal

from stages.settings.section import Annotated, Field, Section


class TagMasks(Section):
    """How the boxes that were chosen become masks (WeakSAM, Sec. 3.6)."""

    mask_source: Annotated[
        Literal["box_prompt", "proposal"],
        Field(
            description="box_prompt: the segmenter is asked with each box, paper; proposal: the "
            "mask of the proposal that the box came from. refine.zoom, where enabled, goes before "
            "both"
        ),
    ] = "box_prompt"
    on_empty: Annotated[
        Literal["box", "drop"],
        Field(
            description="where the segmenter sees nothing, or something whose box has an IoU under "
            "0.1 with the one asked about; box: it is filled; drop: no label, counted"
        ),
    ] = "box"
