"""Section `train`: the detector that learns from the pseudo-labels, and how it is trained."""

from typing import Literal, Self

from pydantic import model_validator

from stages.engines.engine import ENGINES
from stages.settings.blocks import OneOf
from stages.settings.hooks import CopyPaste, MultiMask, RoiDrop
from stages.settings.limits import Milestones, Sides, check_sides
from stages.settings.section import PLACE, Annotated, Field, Section

__all__ = ["CopyPaste", "MultiMask", "RoiDrop", "Train"]


class Train(Section):
    """Mask R-CNN and its schedule."""

    enabled: Annotated[bool, Field(description="false: stop after export and evaluate")] = True
    engine: Annotated[
        str,
        OneOf(ENGINES),
        Field(description="library that trains; detectron2 is installed by hand or by --use-conda"),
    ] = "torchvision"
    seed: Annotated[
        int | None,
        Field(
            ge=0,
            description="of the training alone: a variant with another one, over itself, tells "
            "how far chance carries; null: the run's, or the ablation's",
        ),
    ] = None
    backbone: Annotated[
        Literal["resnet18", "resnet50", "resnet101"], Field(description="ResNet with FPN")
    ] = "resnet18"
    norm: Annotated[
        Literal["group", "frozen_batch"],
        Field(description="group: from scratch; frozen_batch: with ImageNet weights"),
    ] = "group"
    weights: Annotated[
        str | None,
        Field(
            description="torchvision ResNet weight file, with `config` a state dict of its "
            "network; null: from scratch"
        ),
        PLACE,
    ] = None
    weights_sha256: Annotated[str | None, Field(description="checksum of that file")] = None
    config: Annotated[
        str | None,
        Field(
            description="detectron2's file of another network, YAML or LazyConfig (.py); stands "
            "for backbone, norm, fpn_channels, rois_per_image, score_threshold and "
            "detections_per_image; its own schedule, sizes and data are not read"
        ),
        PLACE,
    ] = None
    overrides: Annotated[
        tuple[str, ...], Field(description="KEY=VALUE, laid over that file as detectron2 does")
    ] = ()
    run_python: Annotated[
        bool,
        Field(description="true: a LazyConfig is my own program, and may run with my rights"),
    ] = False
    fpn_channels: Annotated[int, Field(ge=16, multiple_of=16, description="stock: 256")] = 64
    short_side: Annotated[
        Sides,
        Field(
            description=">= 32 px; stock: 800. Of a list one is drawn for each step, and the "
            "largest is that of inference, such as [640, 672, 704, 736, 768, 800]"
        ),
    ] = 128
    long_side: Annotated[int, Field(ge=32, description="px; stock: 1333")] = 256
    iterations: Annotated[int, Field(ge=1, description="steps; COCO 1x with 16 images: 90000")] = (
        1200
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
    norm_decay: Annotated[
        bool, Field(description="weight decay of norms' scales and shifts too; stock: false")
    ] = True
    precision: Annotated[
        Literal["float32", "bfloat16"],
        Field(description="of the forward pass; bfloat16: mixed precision, for GPUs"),
    ] = "float32"
    accumulate: Annotated[
        int,
        Field(
            ge=1,
            description="parts in which the images of a step go through the network, one after "
            "the other, for less memory; the step stays one of batch_images",
        ),
    ] = 1
    processes: Annotated[
        int,
        Field(
            ge=1, description="processes of one training, a GPU each; more than 1 starts torchrun"
        ),
    ] = 1
    evaluate_every: Annotated[
        int,
        Field(
            ge=0,
            description="steps between looks at the validation images, with their truth; the AP "
            "is in the log. 0: never, and a training sees no truth of theirs",
        ),
    ] = 0
    keep: Annotated[
        Literal["last", "best"],
        Field(description="weights; best: of the best look, whose AP then flatters"),
    ] = "last"
    warmup: Annotated[int, Field(ge=0, description="steps of linear warm-up; COCO: 1000")] = 50
    milestones: Annotated[
        Milestones, Field(description="shares of the steps after which lr is divided by 10")
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
    ] = 32
    score_threshold: Annotated[
        float, Field(ge=0, le=1, description="detections below are not written; stock 0.05")
    ] = 0.05
    detections_per_image: Annotated[int, Field(ge=1, description="at most; COCO counts 100")] = 100
    log_every: Annotated[
        int, Field(ge=1, description="steps of which a warning of RoI drop tells the mean")
    ] = 20
    checkpoint_every: Annotated[int, Field(ge=1, description="steps between checkpoints")] = 100
    workers: Annotated[int, Field(ge=0, description="processes that read images ahead")] = 0
    mask_weight: Annotated[
        Literal["label", "score", "box_fit"],
        Field(
            description="of an annotation's mask loss: its key mask_weight (0: the box alone is "
            "trained), or that times its score or its quality.box_fit, where it has one"
        ),
    ] = "label"
    multi_mask: Annotated[
        MultiMask, Field(description="Dice loss to extra_masks too (SAPNet, Sec. 7)")
    ] = MultiMask()
    roi_drop: Annotated[
        RoiDrop, Field(description="RoIs that fit badly are not trained (WeakSAM, Eq. 1 and 2)")
    ] = RoiDrop()
    copy_paste: Annotated[
        CopyPaste, Field(description="trusted instances pasted into other images (SIM)")
    ] = CopyPaste()

    @property
    def sides(self) -> tuple[int, ...]:
        """Shorter sides of images in training, px, rising."""
        return self.short_side if isinstance(self.short_side, tuple) else (self.short_side,)

    @property
    def test_side(self) -> int:
        """Shorter side of images in inference, px."""
        return self.sides[-1]

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        check_sides(self.test_side, self.long_side)
        if self.keep == "best" and not self.evaluate_every:
            raise ValueError("{at}.keep: best needs looks to choose among; set {at}.evaluate_every")
        if self.norm == "frozen_batch" and not self.weights:
            raise ValueError(
                "{at}.norm: frozen_batch learns nothing without trained statistics; set "
                "{at}.weights to a torchvision ResNet file, or {at}.norm to group"
            )
        _check_config(self)
        drop = self.roi_drop
        if drop.enabled and drop.start is not None and drop.start >= self.iterations:
            raise ValueError(
                f"{{at}}.roi_drop.start {drop.start} is not before the end of the training; "
                f"{{at}}.iterations is {self.iterations}; lower it, or set "
                "{at}.roi_drop.enabled: false"
            )
        return self


def _check_config(train: Train) -> None:
    """Raise ValueError for a file of a network that cannot be taken, or keys that need one."""
    path = train.config
    if path is None:
        if train.overrides:
            raise ValueError("{at}.overrides are laid over {at}.config, which is null; set it")
        return
    if train.engine != "detectron2":
        raise ValueError(
            f"{{at}}.config is read by engine detectron2 alone; {{at}}.engine is {train.engine}"
        )
    if not path.endswith((".yaml", ".yml", ".py")):
        raise ValueError(f"{{at}}.config {path} ends neither in .yaml nor in .py; rename it")
    if path.endswith(".py") and not train.run_python:
        raise ValueError(
            f"{{at}}.config {path} is a LazyConfig: a program that runs with your rights. If it is "
            "your own, set {at}.run_python: true"
        )
    for pair in train.overrides:
        if not pair.partition("=")[1]:
            raise ValueError(f"{{at}}.overrides: {pair!r} is no KEY=VALUE; write it so")
