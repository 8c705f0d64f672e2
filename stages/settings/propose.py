"""Section `propose`: which SAM, which prompts, how many at a time."""

from typing import Literal

from stages.settings.section import CLOSED, Annotated, Field, dataclass


@dataclass(frozen=True, slots=True, config=CLOSED)
class Prompt:
    """One source of prompts; each prompt adds up to three masks to the bag."""

    source: Annotated[
        Literal["point", "inner_points", "boxes"],
        Field(
            description="point: the weak label; inner_points: the point and two more, drawn inside "
            "a mask of the first prompt; boxes: around a mask of the first prompt"
        ),
    ]
    count: Annotated[
        int,
        Field(ge=1, le=3, description="inner_points and boxes: of how many masks, largest first"),
    ] = 3
    scale: Annotated[
        float, Field(gt=0, le=4, description="boxes: side, in sides of the mask's own box")
    ] = 1.3
    masks: Annotated[
        Literal["all", "single"],
        Field(description="all: SAM's three answers; single: its one answer (token 0)"),
    ] = "all"


DEFAULT_PROMPTS = (
    Prompt(source="point"),
    Prompt(source="inner_points", count=2),
    Prompt(source="boxes", count=3, scale=1.3, masks="single"),
)


@dataclass(frozen=True, slots=True, config=CLOSED)
class Propose:
    """How SAM is loaded and asked."""

    model: Annotated[
        Literal["vit_tiny", "vit_b", "vit_l", "vit_h"], Field(description="architecture of SAM")
    ] = "vit_tiny"
    checkpoint: Annotated[
        str, Field(description="weight file; the official names are downloaded when missing")
    ] = "workflow/resources/vit_tiny.pth"
    sha256: Annotated[
        str | None,
        Field(description="checksum of the weight file; null: the known one of an official file"),
    ] = None
    prompts: Annotated[
        tuple[Prompt, ...],
        Field(min_length=1, description="prompt sources in bag order; the first must be `point`"),
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
    prompts_per_batch: Annotated[
        int, Field(ge=1, description="prompts decoded at once; 8 on a CPU, 64 on a GPU")
    ] = 8
    precision: Annotated[
        Literal["float32", "bfloat16"], Field(description="of SAM's image encoder")
    ] = "float32"
    stability_offset: Annotated[
        float, Field(gt=0, description="logit offset of the stability score, as in SAM's own code")
    ] = 1.0
    chunk: Annotated[
        int, Field(ge=1, description="images per part: a killed shard loses at most one part")
    ] = 64
