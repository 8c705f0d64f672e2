"""Hooks of a detector's training: blocks of section `train`.

A hook is off unless `enabled`; every engine has the same hooks.
"""

from typing import Literal, Self

from pydantic import model_validator

from stages.settings.section import Annotated, Field, Section


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
