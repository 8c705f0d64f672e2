"""Keys of SIM's teacher: its network, how it is trained, and how a box is asked about."""

from typing import Literal, Self

from pydantic import model_validator

from stages.settings.asking import StabilityOffset
from stages.settings.limits import Milestones, Sides
from stages.settings.section import CHOOSE, FIT, PLACE, Annotated, Field, Section
from stages.settings.teacher_paste import TeacherPaste
from stages.settings.training import Training, Warmup

Threshold = Annotated[float, Field(gt=0, le=1)]


class TeacherTraining(Training):
    """Optimiser, schedule and losses (SIM, Sec. 4.1 for COCO; BoxInst for what it is made of)."""

    epochs: Annotated[int, Field(ge=1, description="passes over the images; paper: 12 (1x)")] = 12
    batch_images: Annotated[int, Field(ge=1, description="images per step; paper: 16")] = 16
    optimizer: Annotated[
        Literal["adamw", "sgd"], Field(description="sgd, momentum 0.9: the paper")
    ] = "sgd"
    lr: Annotated[float, Field(gt=0, description="learning rate; paper: 0.01")] = 0.01
    weight_decay: Annotated[float, Field(ge=0, description="BoxInst: 1e-4")] = 1e-4
    warmup: Warmup = 1000
    milestones: Annotated[
        Milestones,
        Field(
            description="shares of the training after which lr is divided by 10; paper: 60,000 "
            "and 80,000 of 90,000 steps"
        ),
    ] = (0.667, 0.889)
    sizes: Annotated[
        Sides,
        Field(
            description="px of the shorter side in training, one drawn for each image and epoch; "
            "paper: 640 to 800"
        ),
    ] = (640, 672, 704, 736, 768, 800)
    positives: Annotated[
        int,
        Field(ge=1, description="locations of an image whose masks are learned; CondInst: 64"),
    ] = 64
    pairwise_threshold: Annotated[
        Threshold,
        Field(description="colour similarity of neighbours that should get one label; BoxInst"),
    ] = 0.3
    lambda_pairwise: Annotated[
        float, Field(ge=0, description="weight of the loss on pairs of one colour; BoxInst: 1")
    ] = 1.0
    pairwise_warmup: Annotated[
        int,
        Field(ge=0, description="steps in which the pairwise loss rises to its whole; BoxInst"),
    ] = 10_000
    invalid_bottom: Annotated[
        int,
        Field(
            ge=0,
            description="px of an image's lower edge whose colours are not looked at; BoxInst, for "
            "COCO: 10",
        ),
    ] = 10
    start: Annotated[
        Literal["former", "own"],
        Field(
            description="weights that a later round's training starts from: the teacher of the "
            "round before, for the paper trains one network all along; own: new ones, or those of "
            "`checkpoint`"
        ),
    ] = "former"
    lambda_pseudo: Annotated[
        float,
        Field(ge=0, description="weight of the loss on pseudo masks of the round before; paper"),
    ] = 0.5
    lambda_paste: Annotated[
        float,
        Field(ge=0, description="weight of the loss on pasted objects; 0: they have none; paper"),
    ] = 1.0
    paste: Annotated[TeacherPaste, Field(description="copy-paste, in later rounds")] = (
        TeacherPaste()
    )
    ema: Annotated[
        float,
        Field(
            ge=0,
            lt=1,
            description="share of the averaged weights that a step keeps, which are the teacher's; "
            "0: those of the last step; paper: 0.9999, for 90,000 steps",
        ),
    ] = 0.9999

    @model_validator(mode="after")
    def _share(self) -> Self:
        if self.batch_images < self.processes:
            raise ValueError(
                f"{{at}}.batch_images is {self.batch_images}, fewer than the {self.processes} "
                "processes that share a batch; raise it"
            )
        return self


class Settings(Section):
    """SIM's teacher: a network that learns masks from boxes with classes (CVPR 2023)."""

    model: Annotated[
        str | None,
        Field(
            description="network that another run has trained (its fit_propose/model.pt), with the "
            "same keys; nothing is trained then; null: train one"
        ),
        PLACE,
        CHOOSE,
    ] = None
    backbone: Annotated[
        Literal["small", "resnet18", "resnet50", "resnet101"],
        Field(description="small: trained on a CPU in minutes; the paper: resnet50, resnet101"),
    ] = "resnet50"
    checkpoint: Annotated[
        str | None,
        Field(
            description="weight file of torchvision that a ResNet starts from; its norms, its stem "
            "and its first stage are then frozen; null: from scratch"
        ),
        PLACE,
    ] = None
    sha256: Annotated[
        str | None, Field(description="checksum of the weight file; null: not checked"), FIT
    ] = None
    stride: Annotated[
        Literal[4, 8],
        Field(
            description="px of the network's input per cell of the finest level and of the mask "
            "features; masks are twice as fine; paper: 8"
        ),
    ] = 8
    channels: Annotated[
        int, Field(ge=64, multiple_of=32, description="of the levels; paper: 256")
    ] = 256
    head_convs: Annotated[
        int, Field(ge=1, description="of each of FCOS's two towers; paper: 4")
    ] = 4
    mask_channels: Annotated[
        int, Field(ge=4, multiple_of=4, description="of the mask branch; CondInst: 128")
    ] = 128
    mask_convs: Annotated[int, Field(ge=1, description="of the mask branch; CondInst: 4")] = 4
    dim: Annotated[
        int, Field(ge=1, description="D, channels of the mask features, and of prototypes; paper")
    ] = 16
    hidden: Annotated[
        int, Field(ge=1, description="channels of the head that a location makes; CondInst: 8")
    ] = 8
    training: Annotated[TeacherTraining, Field(description="optimiser, schedule, losses"), FIT] = (
        TeacherTraining()
    )
    size: Annotated[
        int, Field(ge=32, description="px of the shorter side when it is asked; paper: 800"), CHOOSE
    ] = 800
    long_side: Annotated[
        int, Field(ge=32, description="px of the longer side at most; paper: 1333")
    ] = 1333
    mu: Annotated[
        float,
        Field(
            ge=0,
            description="how much more the masks of locations count whose predicted box fits the "
            "asked one; 0: all alike, as in the code; paper: 5",
        ),
        CHOOSE,
    ] = 5.0
    threshold: Annotated[
        float,
        Field(gt=0, lt=1, description="probability above which a pixel is in the mask"),
        CHOOSE,
    ] = 0.5
    stability_offset: Annotated[StabilityOffset, CHOOSE] = 1.0

    @model_validator(mode="after")
    def _sides(self) -> Self:
        """`size` is not looked at here: a training does not read it, and asks with its default."""
        sizes = self.training.sizes
        largest = max(sizes) if isinstance(sizes, tuple) else sizes
        if largest > self.long_side:
            raise ValueError(
                f"{{at}}.training.sizes reaches {largest}, more than {{at}}.long_side, which is "
                f"{self.long_side}; swap them"
            )
        return self

    @model_validator(mode="after")
    def _weights(self) -> Self:
        if self.backbone == "small" and self.checkpoint is not None:
            raise ValueError(
                "{at}.checkpoint is a weight file, but {at}.backbone is small, which starts from "
                "scratch; set checkpoint: null, or backbone: resnet50"
            )
        return self
