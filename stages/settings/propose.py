"""Section `propose`: which segmenter is asked, and about what."""

from typing import TYPE_CHECKING, Literal, Self

from pydantic import model_validator

from stages.segmenters.segmenter import SEGMENTERS
from stages.settings.blocks import OneOf, with_blocks
from stages.settings.section import CHOOSE, Annotated, Field, Section

if TYPE_CHECKING:
    from stages.settings.segmenters.boxcaseg import Settings as BoxCaseg
    from stages.settings.segmenters.grabcut import Settings as Grabcut
    from stages.settings.segmenters.saliency import Settings as Saliency
    from stages.settings.segmenters.sam import Settings as Sam
    from stages.settings.segmenters.sim import Settings as Sim
    from stages.settings.segmenters.transformers import Settings as Transformers

Masks = Annotated[
    Literal["all", "single"],
    Field(description="all: SAM's three answers; single: its one answer (token 0)"),
]
Count = Annotated[
    int, Field(ge=1, le=3, description="of how many masks of the first prompt, largest first")
]


class LabelPrompt(Section):
    """The weak label itself."""

    source: Literal["label"] = Field(description="the weak label itself")
    masks: Masks = "all"
    scale: Annotated[
        float,
        Field(
            gt=0, le=4, description="side of the box that is asked with, in sides of the label's"
        ),
    ] = 1.0
    cut: Annotated[
        bool, Field(description="cut away what an answer has outside the label's own box")
    ] = False


class InnerPointsPrompt(Section):
    """The point and two more, drawn inside a mask of the first prompt."""

    source: Literal["inner_points"] = Field(
        description="the point and two more, drawn inside a mask of the first prompt"
    )
    count: Count = 3
    masks: Masks = "all"


class BoxesPrompt(Section):
    """Boxes around a mask of the first prompt."""

    source: Literal["boxes"] = Field(description="boxes around a mask of the first prompt")
    count: Count = 3
    scale: Annotated[
        float, Field(gt=0, le=4, description="side, in sides of the mask's own box")
    ] = 1.3
    masks: Masks = "all"


Slots = Annotated[
    tuple[Annotated[int, Field(ge=0, le=2)], ...],
    Field(
        min_length=1,
        description="which of SAM's three masks; the paper's words: 0 sub-part, 1 part, 2 whole",
    ),
]
Overlap = Annotated[float, Field(ge=0, le=1)]


class Grid(Section):
    """Answers to a grid of points (WeakSAM, Sec. 3.2)."""

    masks: Slots = (0, 1, 2)
    predicted_iou: Annotated[
        float,
        Field(ge=0, le=1, description="masks that are less sure are left out; paper's code: 0.3"),
    ] = 0.3
    stability: Annotated[
        float, Field(ge=0, le=1, description="masks that are less stable are left out; code: 0.3")
    ] = 0.3
    nms: Annotated[
        Overlap | None,
        Field(
            description="IoU of boxes above which the less sure mask goes; code: 0.3; null: none"
        ),
    ] = 0.7


class Peaks(Section):
    """Answers to peaks of class maps (WeakSAM, Sec. 3.2)."""

    masks: Slots = (0, 1, 2)
    nms: Annotated[
        Overlap | None,
        Field(description="as grid.nms, among the peaks of one map; code: null, none"),
    ] = 0.7
    cross_nms: Annotated[
        Overlap | None,
        Field(
            description="IoU of boxes above which the later one goes, whatever their scores, among "
            "the peaks of cross-attention; code: 0.9; null: as nms"
        ),
    ] = 0.9


AnyPrompt = Annotated[LabelPrompt | InnerPointsPrompt | BoxesPrompt, Field(discriminator="source")]
DEFAULT_PROMPTS: tuple[AnyPrompt, ...] = (
    LabelPrompt(source="label"),
    InnerPointsPrompt(source="inner_points", count=2),
    BoxesPrompt(source="boxes", count=3, scale=1.3, masks="single"),
)


class ProposeShared(Section):
    """Which segmenter is asked, and about what; its training reads its own keys alone."""

    segmenter: Annotated[
        str, OneOf(SEGMENTERS), Field(description="who answers prompts with masks")
    ] = "sam"
    prompts: Annotated[
        tuple[AnyPrompt, ...],
        Field(
            min_length=1,
            description="where prompts come from, in bag order; the first must be `label`; each "
            "prompt adds up to three masks to the bag",
        ),
        CHOOSE,
    ] = DEFAULT_PROMPTS
    grid: Annotated[Grid, Field(description="masks for the points of a grid"), CHOOSE] = Grid()
    peaks: Annotated[Peaks, Field(description="masks for peaks of class maps"), CHOOSE] = Peaks()
    mirror: Annotated[
        bool,
        Field(description="ask about the mirrored image too: twice the proposals and the time"),
        CHOOSE,
    ] = False
    clean: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="keep connected components of at least this share of the one under the "
            "prompt point (or of the largest); 0: keep all",
        ),
        CHOOSE,
    ] = 0.25
    chunk: Annotated[
        int,
        Field(ge=1, description="images per part: a killed shard loses at most one part"),
        CHOOSE,
    ] = 64

    @model_validator(mode="after")
    def _label_first(self) -> Self:
        sources = [prompt.source for prompt in self.prompts]
        if sources[0] != "label" or sources.count("label") != 1:
            raise ValueError(
                "{at}.prompts: the first source, and no other, must be label, seen "
                f"[{', '.join(sources)}]"
            )
        return self


if TYPE_CHECKING:

    class Propose(ProposeShared):
        """The section with a block of keys per segmenter."""

        sam: Sam = Sam()
        transformers: Transformers = Transformers()
        boxcaseg: BoxCaseg = BoxCaseg()
        grabcut: Grabcut = Grabcut()
        saliency: Saliency = Saliency()
        sim: Sim = Sim()

else:
    Propose = with_blocks(ProposeShared, "Propose", SEGMENTERS)
