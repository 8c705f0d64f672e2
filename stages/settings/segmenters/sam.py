"""Keys of SAM: which weights, and how many prompts at a time."""

from typing import Literal

from stages.settings.section import PLACE, Annotated, Field, Section


class Settings(Section):
    """SAM: how it is loaded and asked."""

    model: Annotated[
        Literal["vit_tiny", "vit_b", "vit_l", "vit_h"], Field(description="architecture of SAM")
    ] = "vit_tiny"
    checkpoint: Annotated[
        str, Field(description="weight file; the official names are downloaded when missing"), PLACE
    ] = "workflow/resources/vit_tiny.pth"
    sha256: Annotated[
        str | None,
        Field(description="checksum of the weight file; null: the known one of an official file"),
    ] = None
    precision: Annotated[
        Literal["float32", "bfloat16"], Field(description="of SAM's image encoder")
    ] = "float32"
    prompts_per_batch: Annotated[
        int, Field(ge=1, description="prompts decoded at once; 8 on a CPU, 64 on a GPU")
    ] = 8
    stability_offset: Annotated[
        float, Field(gt=0, description="logit offset of the stability score, as in SAM's own code")
    ] = 1.0
