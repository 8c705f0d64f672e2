"""Section `select`: which proposals of each bag are chosen, and how."""

from typing import TYPE_CHECKING, Any

from stages.methods.selector import SELECTORS
from stages.settings.blocks import OneOf, with_blocks
from stages.settings.section import CHOOSE, Annotated, Field, Section

if TYPE_CHECKING:
    from stages.settings.selectors.mist import Settings as Mist
    from stages.settings.selectors.oicr import Settings as Oicr
    from stages.settings.selectors.psm import Settings as Psm


class SelectShared(Section):
    """The first multiple-instance stage, or a choice without learning to hold it against."""

    method: Annotated[
        str,
        OneOf(SELECTORS),
        Field(
            description="psm: learned from points or boxes; oicr, mist: from image tags; the "
            "others choose without learning: clue_top1, of tags, the surest mask at a peak of the "
            "class; SAM's best score, or the mask of median area, the largest, or a fixed one of "
            "the point's three"
        ),
    ] = "psm"
    chunk: Annotated[
        int,
        Field(ge=1, description="images per part: a killed shard loses at most one part"),
        CHOOSE,
    ] = 256

    @property
    def block(self) -> Any:
        """Keys of the chosen method; None where it has none."""
        return getattr(self, self.method, None)


if TYPE_CHECKING:

    class Select(SelectShared):
        """The section with a block of keys per method."""

        psm: Psm = Psm()
        oicr: Oicr = Oicr()
        mist: Mist = Mist()

else:
    Select = with_blocks(SelectShared, "Select", SELECTORS)
