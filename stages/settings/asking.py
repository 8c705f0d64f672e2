"""Keys that the blocks of several segmenters share: how a promptable model is run."""

from typing import Literal

from stages.settings.section import Annotated, Field

EncoderPrecision = Annotated[
    Literal["float32", "bfloat16"], Field(description="of the image encoder")
]
PromptsPerBatch = Annotated[
    int, Field(ge=1, description="prompts decoded at once; 8 on a CPU, 64 on a GPU")
]
MaskMemory = Annotated[
    int,
    Field(ge=1, description="MiB of full-size masks at once; fewer prompts on large photographs"),
]
StabilityOffset = Annotated[
    float, Field(gt=0, description="logit offset of the stability score, as in SAM's own code")
]
