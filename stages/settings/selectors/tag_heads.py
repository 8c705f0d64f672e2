"""What the heads that learn from image tags share: OICR's and MIST's keys (WeakSAM, Sec. 3.3)."""

from typing import Literal

from stages.settings.section import CHOOSE, FIT, Annotated, Field, Section
from stages.settings.selectors.psm import Features
from stages.settings.training import Training

Supervision = Literal["oicr_top1", "oicr_multi", "mist"]
Bce = Annotated[
    Literal["sum", "mean"],
    Field(description="of the tags' loss over classes; OICR's code: sum; MIST's: mean"),
    FIT,
]
FirstWeight = Annotated[
    float,
    Field(gt=0, description="lambda of the first branch; OICR: 1; MIST's code: 3"),
    FIT,
]
Background = Annotated[
    bool,
    Field(
        description="the two-branch head has a column for the background, whose tag is 0; OICR: "
        "false; MIST's code: true"
    ),
]
Regression = Annotated[
    bool, Field(description="every branch moves boxes, for each class; OICR: false; MIST: true")
]
Share = Annotated[
    float,
    Field(gt=0, le=1, description="MIST's p: share of the proposals that may be seeds; 0.15"),
    FIT,
]


class DropBlock(Section):
    """Concrete DropBlock: an adversary hides blocks of features (MIST, Sec. 4.2)."""

    enabled: Annotated[bool, Field(description="MIST's code: true; OICR: false")] = False
    block: Annotated[int, Field(ge=1, description="odd side of a block, in cells; MIST: 3")] = 3
    temperature: Annotated[
        float, Field(gt=0, description="of the relaxed choice; MIST's code: 0.3")
    ] = 0.3
    rate: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="share of a proposal's cells that the adversary may hide; ours: MIST's "
            "code has a gamma of 3 whose meaning the paper does not tell",
        ),
    ] = 0.3


class TagHeads(Section):
    """A two-branch head on an image's proposals, and refinement branches behind it."""

    features: Annotated[Features, Field(description="backbone and head")] = Features()
    branches: Annotated[
        int, Field(ge=0, le=6, description="of refinement; 3; 0: the two-branch head alone")
    ] = 3
    fg_iou: Annotated[
        float,
        Field(gt=0, le=1, description="IoU with a seed from which a proposal is foreground; 0.5"),
        FIT,
    ] = 0.5
    share: Share = 0.15
    bce: Bce = "sum"
    first_weight: FirstWeight = 1.0
    background: Background = False
    regression: Regression = False
    head_size: Annotated[
        float,
        Field(
            ge=0,
            description="power of the box's share of the image in the proposals' shares of the "
            "two-branch head, in training too, so that parts do not stand for their objects from "
            "the start; papers: 0, unused",
        ),
    ] = 1.0
    head_quality: Annotated[
        float,
        Field(ge=0, description="power of the segmenter's predicted IoU there; papers: 0, unused"),
    ] = 4.0
    drop_block: Annotated[DropBlock, Field(description="an adversary on the features")] = (
        DropBlock()
    )
    min_side: Annotated[
        float,
        Field(
            ge=0,
            description="px; a proposal with a shorter side is left out; the code: 20 on VOC, 2 on "
            "COCO",
        ),
    ] = 2.0
    flip: Annotated[
        bool,
        Field(description="the mirrored image is asked too, and both answers averaged"),
        CHOOSE,
    ] = False
    nms: Annotated[
        float, Field(ge=0, le=1, description="IoU above which a detection gives way; 0.3"), CHOOSE
    ] = 0.3
    detections: Annotated[
        int, Field(ge=1, description="selected of an image at most; 100"), CHOOSE
    ] = 100
    quality_exponent: Annotated[
        float,
        Field(
            ge=0,
            description="power of the segmenter's predicted IoU in the score; paper: 0, unused",
        ),
        CHOOSE,
    ] = 0.0
    size_exponent: Annotated[
        float,
        Field(
            ge=0,
            description="power of the box's share of the image in the score, against parts that "
            "stand for their objects; paper: 0, unused",
        ),
        CHOOSE,
    ] = 0.0
    training: Annotated[Training, Field(description="optimiser and schedule"), FIT] = Training()

    @property
    def seeds(self) -> Supervision:
        """How the seeds of a class are found."""
        return "mist"
