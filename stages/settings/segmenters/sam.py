"""Keys of SAM: which weights, and how many prompts at a time."""

from typing import Literal

from stages.settings.asking import EncoderPrecision, MaskMemory, PromptsPerBatch, StabilityOffset
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
    precision: EncoderPrecision = "float32"
    attention: Annotated[
        Literal["stock", "fused"],
        Field(
            description="of the image encoder; fused: PyTorch's scaled_dot_product_attention, "
            "meant for a GPU; masks differ by single pixels"
        ),
    ] = "stock"
    compile: Annotated[
        bool,
        Field(
            description="the image encoder is compiled by PyTorch for this machine, a minute or "
            "more for each job; needs a C++ compiler, and Triton on a GPU; masks differ by single "
            "pixels"
        ),
    ] = False
    prompts_per_batch: PromptsPerBatch = 8
    mask_memory: MaskMemory = 512
    stability_offset: StabilityOffset = 1.0
