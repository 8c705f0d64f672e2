"""Keys of P2BNet, which learns from points with classes where the boxes of objects are."""

from typing import Literal

from stages.settings.section import FIT, Annotated, Field, Section
from stages.settings.selectors.psm import Features
from stages.settings.training import Training

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class BoxFeatures(Features):
    """Where RoI features come from; there are many boxes of each point, so they are small."""

    roi_size: Annotated[int, Field(ge=1, le=14, description="RoIAlign output side; paper: 7")] = 5


class BoxTraining(Training):
    """Optimiser, schedule and checkpoints (P2BNet on COCO: 12 epochs of 16 images, SGD, 0.02)."""

    epochs: Annotated[int, Field(ge=1, description="passes over the training images; COCO: 12")] = (
        12
    )


class Coarse(Section):
    """CBP: the first boxes of each point."""

    scales: Annotated[
        tuple[Positive, ...],
        Field(min_length=1, description="s, in shorter sides of the image; paper: 0.04 to 1.28"),
    ] = (0.04, 0.08, 0.16, 0.32, 0.64, 1.28)
    ratios: Annotated[
        tuple[Positive, ...],
        Field(min_length=1, description="v; a box has the sides v s and s / v; paper: 1/3 to 3"),
    ] = (0.3333, 0.5, 0.6667, 1.0, 1.5, 2.0, 3.0)
    shift: Annotated[
        float,
        Field(
            ge=0,
            lt=0.5,
            description="in sides; 0: boxes are centred on their points (paper); else four more "
            "beside each, for points that lie off the middle",
        ),
    ] = 0.0
    weight: Annotated[float, Field(gt=0, description="of its loss; paper: 0.25"), FIT] = 0.25


class Finer(Section):
    """PBR: the boxes about what CBP found."""

    factors: Annotated[
        tuple[Positive, ...],
        Field(min_length=1, description="of width and height, every pair; paper: 0.7 to 1.3"),
    ] = (1.0, 1.2, 1.3, 0.8, 0.7)
    shift: Annotated[
        float, Field(ge=0, lt=0.5, description="of the same to each side, in sides; paper: 0.1")
    ] = 0.1
    negatives: Annotated[
        int, Field(ge=0, description="boxes drawn in each image, at any place; paper: 500"), FIT
    ] = 500
    t_neg: Annotated[
        Share, Field(description="they have an IoU below it with every box; paper: 0.3"), FIT
    ] = 0.3
    neg_norm: Annotated[
        Literal["kept", "objects"],
        Field(
            description="their loss is divided by how many there are (paper), or by the objects of "
            "the batch, as in the code of SAPNet"
        ),
        FIT,
    ] = "kept"
    alpha: Annotated[
        Share, Field(description="share of the bags in its loss; paper: 0.25 beside 0.75"), FIT
    ] = 0.25


class Settings(Section):
    """P2BNet, boxes of points: learned (Chen et al., ECCV 2022; SAPNet, Sec. 4.2)."""

    features: Annotated[Features, Field(description="backbone and head")] = BoxFeatures()
    coarse: Annotated[Coarse, Field(description="CBP: the first boxes of each point")] = Coarse()
    finer: Annotated[Finer, Field(description="PBR: boxes about what it found")] = Finer()
    top: Annotated[
        int, Field(ge=1, description="best boxes of a bag that merge into one; paper: 7")
    ] = 7
    training: Annotated[BoxTraining, Field(description="optimiser and schedule"), FIT] = (
        BoxTraining()
    )
