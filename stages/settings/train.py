"""Section `train`: the detector that learns from the pseudo-labels."""

from typing import Literal

from stages.settings.section import CLOSED, Annotated, Field, dataclass


@dataclass(frozen=True, slots=True, config=CLOSED)
class Train:
    """Mask R-CNN and its schedule."""

    enabled: Annotated[bool, Field(description="false: stop after export and evaluate")] = True
    engine: Annotated[Literal["torchvision"], Field(description="library that trains")] = (
        "torchvision"
    )
    backbone: Annotated[
        Literal["resnet18", "resnet50"], Field(description="torchvision ResNet with FPN")
    ] = "resnet18"
    norm: Annotated[
        Literal["group", "frozen_batch"],
        Field(description="group: from scratch; frozen_batch: with ImageNet weights"),
    ] = "group"
    weights: Annotated[
        str | None, Field(description="torchvision ResNet weight file; null: from scratch")
    ] = None
    weights_sha256: Annotated[str | None, Field(description="checksum of that file")] = None
    fpn_channels: Annotated[int, Field(ge=16, multiple_of=16, description="stock: 256")] = 64
    short_side: Annotated[int, Field(ge=32, description="px; stock: 800")] = 128
    long_side: Annotated[int, Field(ge=32, description="px; stock: 1333")] = 256
    iterations: Annotated[int, Field(ge=1, description="steps; COCO 1x with 16 images: 90000")] = (
        400
    )
    batch_images: Annotated[int, Field(ge=1, description="images per step; COCO: 16")] = 4
    optimizer: Annotated[
        Literal["adamw", "sgd"],
        Field(description="adamw: short trainings from scratch; stock: sgd"),
    ] = "adamw"
    lr: Annotated[
        float, Field(gt=0, description="learning rate; SGD on COCO: 0.02 for 16 images")
    ] = 1e-3
    momentum: Annotated[float, Field(ge=0, lt=1, description="sgd alone")] = 0.9
    weight_decay: Annotated[float, Field(ge=0, description="COCO: 1e-4")] = 1e-4
    warmup: Annotated[int, Field(ge=0, description="steps of linear warm-up; COCO: 1000")] = 50
    milestones: Annotated[
        tuple[float, ...], Field(description="shares of the steps after which lr is divided by 10")
    ] = (0.75, 0.92)
    clip_norm: Annotated[float, Field(gt=0, description="gradient norm limit")] = 10.0
    flip: Annotated[float, Field(ge=0, le=1, description="chance of a horizontal flip")] = 0.5
    rois_per_image: Annotated[
        int,
        Field(
            ge=2,
            description="sampled for the box head; the RPN samples half as many anchors and keeps "
            "four times as many boxes; stock 512",
        ),
    ] = 64
    score_threshold: Annotated[
        float, Field(ge=0, le=1, description="detections below are not written; stock 0.05")
    ] = 0.05
    detections_per_image: Annotated[int, Field(ge=1, description="at most; COCO counts 100")] = 100
    log_every: Annotated[int, Field(ge=1, description="steps between progress lines")] = 20
    checkpoint_every: Annotated[int, Field(ge=1, description="steps between checkpoints")] = 100
    workers: Annotated[int, Field(ge=0, description="processes that read images ahead")] = 0
