"""Keys of the promptable models of `transformers`: which folder, and how many prompts at a time."""

from typing import Literal

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
    precision: Annotated[
        Literal["float32", "bfloat16"], Field(description="of the image encoder")
    ] = "float32"
    prompts_per_batch: Annotated[
        int, Field(ge=1, description="prompts decoded at once; 8 on a CPU, 64 on a GPU")
    ] = 8
    stability_offset: Annotated[
        float, Field(gt=0, description="logit offset of the stability score, as in SAM's own code")
    ] = 1.0
