"""Keys of BoxCaseg: its network, how it is trained, and how a box is asked about."""

from typing import Literal, Self

from pydantic import model_validator

from stages.settings.asking import MaskMemory, PromptsPerBatch, StabilityOffset
from stages.settings.section import CHOOSE, FIT, PLACE, Annotated, Field, Section
from stages.settings.training import Training, Warmup

Side = Annotated[int, Field(ge=32, description="px of the square that a crop is resized to")]


class CropTraining(Training):
    """Optimiser, schedule and crops (BoxCaseg, Sec. 4.1 and public code)."""

    decay: Annotated[
        Literal["poly", "cosine", "milestones"],
        Field(description="of the learning rate after the warm-up; poly: the paper"),
    ] = "poly"
    power: Annotated[float, Field(gt=0, description="of poly")] = 0.9
    epochs: Annotated[
        int, Field(ge=1, description="passes over the salient images; paper: VOC 40, COCO 50")
    ] = 40
    batch_images: Annotated[
        int, Field(ge=1, description="boxes and salient images per step; paper: 32")
    ] = 16
    optimizer: Annotated[
        Literal["adamw", "sgd"], Field(description="sgd, momentum 0.9: the paper")
    ] = "sgd"
    lr: Annotated[float, Field(gt=0, description="learning rate; paper: VOC 0.004, COCO 0.008")] = (
        0.004
    )
    weight_decay: Annotated[float, Field(ge=0, description="paper: 1e-4")] = 1e-4
    warmup: Warmup = 0
    box_ratio: Annotated[
        float,
        Field(
            gt=0,
            lt=1,
            description="share of the boxes in a batch, where there are salient images too; paper: "
            "9:7, its code 11:5 (0.6875)",
        ),
    ] = 0.5625
    salient_images: Annotated[
        int | None,
        Field(
            ge=1,
            description="of the salient set, spread evenly over its names, that are learned from; "
            "null: all (Table 3)",
        ),
    ] = None
    overlap_iou: Annotated[
        float, Field(ge=0, le=1, description="boxes of an image that overlap by more are crowded")
    ] = 0.5
    overlap_drop: Annotated[
        float, Field(ge=0, le=1, description="chance of a crowded box to be left out of an epoch")
    ] = 0.75
    size: Annotated[Side, Field(description="px of a crop in training; paper: 288")] = 288
    size_salient: Annotated[
        Side, Field(description="px that a salient image is resized to before its crop; paper: 320")
    ] = 320
    salient_view: Annotated[
        Literal["whole", "object"],
        Field(
            description="whole: the image, the paper; object: a crop about the mask, moved and "
            "scaled as a box's is"
        ),
    ] = "whole"
    neighbour: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="chance of another salient object beside, before or behind that of a "
            "salient image (not in the paper)",
        ),
    ] = 0.0
    shrink: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="chance that a salient image is shrunk until its object is as small as one "
            "of the boxes (not in the paper)",
        ),
    ] = 0.0
    flip: Annotated[
        float, Field(ge=0, le=1, description="chance of a horizontal flip of a salient image")
    ] = 0.5
    flip_boxes: Annotated[
        float, Field(ge=0, le=1, description="chance of a horizontal flip of a box's crop")
    ] = 0.0
    smooth_weight: Annotated[float, Field(ge=0, description="of the smooth term; code: 0.05")] = (
        0.05
    )
    smooth_border: Annotated[
        Literal["zero_pad", "interior"],
        Field(
            description="zero_pad: the code, which compares the crop's edge with 0; interior: "
            "pairs inside the crop alone"
        ),
    ] = "zero_pad"
    norm_momentum: Annotated[
        float, Field(gt=0, le=1, description="of the batch norms' statistics; code: 0.01")
    ] = 0.01

    @model_validator(mode="after")
    def _sides(self) -> Self:
        if self.size_salient < self.size:
            raise ValueError(
                f"{{at}}.size_salient is {self.size_salient}, but crops of {self.size} px "
                "(training.size) are cut from it; raise it, or lower size"
            )
        if self.batch_images < self.processes:
            raise ValueError(
                f"{{at}}.batch_images is {self.batch_images}, fewer than the {self.processes} "
                "processes that share a batch; raise it"
            )
        return self


class Settings(Section):
    """BoxCaseg: learned from boxes and salient images (CVPR 2021)."""

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
        Literal["small", "tiny_sam", "resnet18", "resnet50"],
        Field(
            description="small: trained on a CPU in minutes; tiny_sam: the same beside the image "
            "encoder of the tiny SAM; the paper's is HRNetV2-W48, whose place a ResNet takes"
        ),
    ] = "resnet50"
    channels: Annotated[
        int | None,
        Field(
            ge=1, description="of each of the backbone's maps before they are joined; null: its own"
        ),
    ] = 64
    checkpoint: Annotated[
        str | None,
        Field(
            description="weight file that the backbone starts from: torchvision's of a ResNet, or "
            "the tiny SAM's; null: from scratch"
        ),
        PLACE,
    ] = None
    sha256: Annotated[
        str | None, Field(description="checksum of the weight file; null: not checked"), FIT
    ] = None
    heads: Annotated[
        Literal["weak_only", "salient_only", "weak_salient", "weak_transferred", "all"],
        Field(
            description="Table 4 of the paper; weak_only learns without a salient set; the others "
            "answer with what saw masks"
        ),
    ] = "all"
    salient_weight: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="of the salient head in the mix with the transferred one; code: VOC 0.7, "
            "COCO 0.6",
        ),
    ] = 0.7
    mlp_hidden: Annotated[
        int,
        Field(ge=1, description="width of the weight transfer, in lengths of what it transfers"),
    ] = 4
    leaky: Annotated[
        float, Field(ge=0, lt=1, description="slope of the transfer's LeakyReLU below 0")
    ] = 0.1
    norm: Annotated[
        Literal["imagenet", "authors"],
        Field(description="of pixels; authors: boxes and salient images apart, as in their code"),
    ] = "imagenet"
    training: Annotated[CropTraining, Field(description="optimiser, schedule, crops"), FIT] = (
        CropTraining()
    )
    size: Annotated[
        Side, Field(description="px of a box's crop when it is asked about; paper: 320"), CHOOSE
    ] = 320
    margin: Annotated[
        float,
        Field(ge=1, le=2, description="sides of a crop, in sides of its box; paper: 1, the box"),
        CHOOSE,
    ] = 1.0
    minmax: Annotated[
        bool,
        Field(description="stretch the probabilities of each crop to 0 to 1, as the code does"),
        CHOOSE,
    ] = True
    flat: Annotated[
        float,
        Field(ge=0, le=1, description="range of probabilities up to which nothing is stretched"),
        CHOOSE,
    ] = 0.0
    threshold: Annotated[
        float,
        Field(gt=0, lt=1, description="probability above which a pixel is in the mask"),
        CHOOSE,
    ] = 0.5
    prompts_per_batch: Annotated[PromptsPerBatch, CHOOSE] = 8
    mask_memory: Annotated[MaskMemory, CHOOSE] = 512
    stability_offset: Annotated[StabilityOffset, CHOOSE] = 1.0
