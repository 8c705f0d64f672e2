"""How a MIL network is trained: shared by the methods that learn."""

from typing import Literal

from stages.settings.limits import Milestones
from stages.settings.section import Annotated, Field, Section


class Training(Section):
    """Optimiser, schedule and checkpoints (SAPNet, Sec. 4.1 for the COCO values)."""

    epochs: Annotated[int, Field(ge=1, description="passes over the training images; COCO: 12")] = 8
    batch_images: Annotated[int, Field(ge=1, description="images per step; COCO: 32")] = 8
    optimizer: Annotated[
        Literal["adamw", "sgd"],
        Field(description="sgd, the paper's, has momentum 0.9, as in the authors' code"),
    ] = "adamw"
    lr: Annotated[
        float, Field(gt=0, description="learning rate; SGD on COCO: 0.015 x batch_images / 32")
    ] = 1e-3
    weight_decay: Annotated[float, Field(ge=0, description="COCO: 1e-4")] = 1e-4
    warmup: Annotated[
        int, Field(ge=0, description="steps of linear warm-up from 0.001 x lr; COCO: 500")
    ] = 20
    milestones: Annotated[
        Milestones,
        Field(
            description="shares of the training after which lr is divided by 10; COCO: 8/12, 10/12"
        ),
    ] = (0.67, 0.84)
    clip_norm: Annotated[
        float, Field(gt=0, description="L2 norm at which gradients are clipped; COCO: 35")
    ] = 35.0
    flip: Annotated[float, Field(ge=0, le=1, description="chance of a horizontal flip")] = 0.5
    checkpoint_every: Annotated[
        int, Field(ge=1, description="steps between checkpoints; a killed training resumes there")
    ] = 100
    workers: Annotated[int, Field(ge=0, description="processes that read images ahead")] = 0
    precision: Annotated[
        Literal["float32", "bfloat16"],
        Field(description="of the forward pass; bfloat16: mixed precision, for GPUs"),
    ] = "float32"
    processes: Annotated[
        int,
        Field(
            ge=1, description="processes of one training, a GPU each; more than 1 starts torchrun"
        ),
    ] = 1


Epochs = Annotated[int, Field(ge=1, description="passes over the training images; paper: 60")]
BatchImages = Annotated[int, Field(ge=1, description="images per step; paper: 64")]
Rate = Annotated[
    float, Field(gt=0, description="learning rate; paper: 0.0004 x batch_images / 512")
]
WeightDecay = Annotated[float, Field(ge=0, description="paper: 0.05")]
Warmup = Annotated[
    int, Field(ge=0, description="steps of linear warm-up from 0.001 x lr; paper: 5 epochs")
]


class ClueTraining(Training):
    """Optimiser, schedule and checkpoints (WeakSAM, Sec. 3.1, as WeakTr trains).

    A network with other defaults has a class of its own, so that one key of a block, given alone,
    leaves the others as they are.
    """

    decay: Annotated[
        Literal["cosine", "milestones"],
        Field(description="of the learning rate after the warm-up; cosine: the paper, to 0"),
    ] = "cosine"
    epochs: Epochs = 60
    batch_images: BatchImages = 16
    lr: Rate = 5e-4
    weight_decay: WeightDecay = 0.05
    warmup: Warmup = 100
