"""Section `train`: the detector that learns from the pseudo-labels, and the hooks of its training.

A hook is off unless `enabled`; every engine has the same hooks.
"""

from typing import Literal, Self

from pydantic import model_validator

from stages.engines.engine import ENGINES
from stages.settings.blocks import OneOf
from stages.settings.limits import Milestones, check_sides
from stages.settings.section import PLACE, Annotated, Field, Section


class MultiMask(Section):
    """Multi-mask supervision: Dice loss to `extra_masks` too (SAPNet, Sec. 7, Eq. 11)."""

    enabled: Annotated[bool, Field(description="false: the mask of the annotation alone")] = False
    gamma: Annotated[float, Field(ge=0, description="weight of the extra masks; Eq. 11")] = 0.25


class RoiDrop(Section):
    """RoIs that fit their label badly are left out of both box losses (WeakSAM, Eq. 1 and 2)."""

    enabled: Annotated[bool, Field(description="false: every RoI is trained")] = False
    mode: Annotated[
        Literal["any", "both"],
        Field(description="any: one loss above its threshold drops a RoI; both: the authors' code"),
    ] = "any"
    cls: Annotated[
        float, Field(gt=0, description="threshold of the classification loss; tau_cls")
    ] = 4.0
    reg: Annotated[
        float, Field(gt=0, description="threshold of the box regression loss; tau_reg")
    ] = 1.0
    start: Annotated[
        int | None,
        Field(
            ge=0,
            description="first step that drops; must be given: at random weights the loss of 80 "
            "classes is ln 81, above tau_cls; authors: 2000 of 9000 (VOC), 10000 of 85000 (COCO)",
        ),
    ] = None

    @model_validator(mode="after")
    def _starts(self) -> Self:
        if self.enabled and self.start is None:
            raise ValueError(
                "{at}.start is missing, but {at} is enabled; give the first step that drops, such "
                "as a fifth of train.iterations: an untrained network would drop nearly all RoIs"
            )
        return self


class CopyPaste(Section):
    """Trusted instances of images seen before are pasted into others (SIM)."""

    enabled: Annotated[bool, Field(description="false: images as they are")] = False
    chance: Annotated[float, Field(ge=0, le=1, description="of an image to be pasted into")] = 0.5
    bank: Annotated[
        int, Field(ge=1, description="so many images back the pasted ones are looked for")
    ] = 100
    share: Annotated[
        float, Field(gt=0, le=1, description="of the source's instances; authors' code: 0.5")
    ] = 0.25
    most: Annotated[int, Field(ge=1, description="instances pasted into an image")] = 3
    power: Annotated[
        float, Field(ge=0, description="instances are drawn in proportion to score to this power")
    ] = 3.0
    min_score: Annotated[
        float,
        Field(ge=0, le=1, description="less sure annotations, or of mask_weight 0, stay behind"),
    ] = 0.5
    min_visible: Annotated[
        float,
        Field(ge=0, le=1, description="an instance that keeps less of its mask is left out"),
    ] = 0.1


class Train(Section):
    """Mask R-CNN and its schedule."""

    enabled: Annotated[bool, Field(description="false: stop after export and evaluate")] = True
    engine: Annotated[
        str,
        OneOf(ENGINES),
        Field(description="library that trains; detectron2 is installed by hand or by --use-conda"),
    ] = "torchvision"
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
    ] = 64
    score_threshold: Annotated[
        float, Field(ge=0, le=1, description="detections below are not written; stock 0.05")
    ] = 0.05
    detections_per_image: Annotated[int, Field(ge=1, description="at most; COCO counts 100")] = 100
    log_every: Annotated[int, Field(ge=1, description="steps between progress lines")] = 20
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

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        check_sides(self.short_side, self.long_side)
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
