"""Section `select`: which proposals of each bag are chosen, and how."""

from typing import TYPE_CHECKING

from stages.methods.selector import SELECTORS
from stages.settings.blocks import OneOf, with_blocks
from stages.settings.section import CHOOSE, Annotated, Field, Section

if TYPE_CHECKING:
    from stages.settings.selectors.psm import Settings as Psm


class SelectShared(Section):
    """The first multiple-instance stage, or a choice without learning to hold it against."""

    method: Annotated[
        str,
        OneOf(SELECTORS),
        Field(
            description="psm: learned; the others choose without learning: SAM's best score, or "
            "the mask of median area, the largest, or a fixed one of the point's three"
        ),
    ] = "psm"
    chunk: Annotated[
        int,
        Field(ge=1, description="images per part: a killed shard loses at most one part"),
        CHOOSE,
    ] = 256


if TYPE_CHECKING:

    class Select(SelectShared):
        """The section with a block of keys per method."""

        psm: Psm = Psm()

else:
    Select = with_blocks(SelectShared, "Select", SELECTORS)
