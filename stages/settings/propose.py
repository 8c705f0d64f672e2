"""Section `propose`: which segmenter is asked, and about what."""

from typing import TYPE_CHECKING, Literal, Self

from pydantic import model_validator

from stages.segmenters.segmenter import SEGMENTERS
from stages.settings.blocks import OneOf, with_blocks
from stages.settings.section import Annotated, Field, Section

if TYPE_CHECKING:
    from stages.settings.segmenters.sam import Settings as Sam
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


AnyPrompt = Annotated[LabelPrompt | InnerPointsPrompt | BoxesPrompt, Field(discriminator="source")]
DEFAULT_PROMPTS: tuple[AnyPrompt, ...] = (
    LabelPrompt(source="label"),
    InnerPointsPrompt(source="inner_points", count=2),
    BoxesPrompt(source="boxes", count=3, scale=1.3, masks="single"),
)


class ProposeShared(Section):
    """Which segmenter is asked, and about what."""

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
    ] = DEFAULT_PROMPTS
    mirror: Annotated[
        bool,
        Field(description="ask about the mirrored image too: twice the proposals and the time"),
    ] = False
    clean: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="keep connected components of at least this share of the one under the "
            "prompt point (or of the largest); 0: keep all",
        ),
    ] = 0.25
    chunk: Annotated[
        int, Field(ge=1, description="images per part: a killed shard loses at most one part")
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

else:
    Propose = with_blocks(ProposeShared, "Propose", SEGMENTERS)
