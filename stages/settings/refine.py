"""Section `refine`: from what was chosen to pseudo-labels."""

from typing import TYPE_CHECKING, Literal

from stages.methods.refiner import REFINERS
from stages.settings.blocks import OneOf, with_blocks
from stages.settings.section import CHOOSE, Annotated, Field, Section

if TYPE_CHECKING:
    from stages.settings.refiners.adaptive_pgt import Settings as AdaptivePgt
    from stages.settings.refiners.as_it_is import Settings as AsItIs
    from stages.settings.refiners.prm import Settings as Prm
    from stages.settings.refiners.relabel import Settings as Relabel
    from stages.settings.refiners.sim import Settings as Sim
    from stages.settings.refiners.top1_pgt import Settings as Top1Pgt


class Vote(Section):
    """The masks of a bag vote for each pixel; not in the paper."""

    enabled: Annotated[
        bool,
        Field(description="true: the mask is voted; false: the proposal closest to box_prm, paper"),
    ] = True
    quality_exponent: Annotated[
        float, Field(ge=0, description="power of SAM's predicted IoU in the weight of a mask")
    ] = 3.0
    threshold: Annotated[
        float, Field(gt=0, le=1, description="share of the weight that a pixel needs")
    ] = 0.35


class Zoom(Section):
    """SAM is asked again, close up, about box_prm or the voted mask; not in the paper."""

    enabled: Annotated[
        bool, Field(description="true: costs two passes of SAM's image encoder per object")
    ] = True
    window: Annotated[
        float, Field(gt=1, le=8, description="side of the crop, in longer sides of the box")
    ] = 2.0
    margin: Annotated[
        float,
        Field(
            gt=0,
            le=4,
            description="sides of the box that SAM is given, in sides of the refined one",
        ),
    ] = 1.3
    about: Annotated[
        Literal["refined", "given"],
        Field(
            description="which box is looked at; given: that of the weak label, where it has one"
        ),
    ] = "refined"
    cut: Annotated[
        bool,
        Field(description="cut away what is seen outside the weak label's box, where it has one"),
    ] = False


class RefineShared(Section):
    """The second multiple-instance stage, and what is done to the masks in the end."""

    method: Annotated[
        str,
        OneOf(REFINERS),
        Field(
            description="prm: learned; as_it_is: select's choice is the pseudo-label; of tags: "
            "adaptive_pgt, or top1_pgt, one of each; of boxes: sim, which corrects what its "
            "teacher proposes; relabel: the last round's detector judges"
        ),
    ] = "prm"
    vote: Annotated[Vote, Field(description="a mask out of all masks of the bag"), CHOOSE] = Vote()
    zoom: Annotated[Zoom, Field(description="a mask out of the refined box"), CHOOSE] = Zoom()
    clean: Annotated[
        float,
        Field(ge=0, le=1, description="as propose.clean, for what vote and zoom make"),
        CHOOSE,
    ] = 0.25
    mps: Annotated[
        Literal["paper", "code"],
        Field(
            description="runner-up masks (MPS, Sec. 7): highest, middle and lowest of the others, "
            "or the authors' ranks 1, 3 and 5"
        ),
        CHOOSE,
    ] = "paper"
    chunk: Annotated[
        int,
        Field(ge=1, description="images per part: a killed shard loses at most one part"),
        CHOOSE,
    ] = 256


if TYPE_CHECKING:

    class Refine(RefineShared):
        """The section with a block of keys per method."""

        prm: Prm = Prm()
        as_it_is: AsItIs = AsItIs()
        adaptive_pgt: AdaptivePgt = AdaptivePgt()
        top1_pgt: Top1Pgt = Top1Pgt()
        relabel: Relabel = Relabel()
        sim: Sim = Sim()

else:
    Refine = with_blocks(RefineShared, "Refine", REFINERS)
