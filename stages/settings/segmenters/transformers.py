"""Keys of the promptable models of `transformers`: which folder, and how many prompts at a time."""

from stages.settings.asking import EncoderPrecision, MaskMemory, PromptsPerBatch, StabilityOffset
from stages.settings.section import PLACE, Annotated, Field, Section


class Settings(Section):
    """SAM, SAM-HQ, SAM 2, EdgeTAM, SAM 3 through Hugging Face transformers."""

    path: Annotated[
        str | None,
        Field(
            description="local folder that save_pretrained wrote, with safetensors; nothing is "
            "fetched"
        ),
        PLACE,
    ] = None
    precision: EncoderPrecision = "float32"
    prompts_per_batch: PromptsPerBatch = 8
    mask_memory: MaskMemory = 512
    stability_offset: StabilityOffset = 1.0
