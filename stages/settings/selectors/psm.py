"""Keys of PSM, the proposal selection module, with PDG (SAPNet, Sec. 3.2)."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self

from pydantic import model_validator

from stages.learning.features import FEATURES
from stages.settings.blocks import OneOf
from stages.settings.limits import check_sides
from stages.settings.section import CHOOSE, FIT, PLACE, Annotated, Field, Section
from stages.settings.training import Training

VGG_CHANNELS = 512  # of the last block of VGG-16


class Features(Section):
    """Where RoI features come from, and the shape of the head on top of them."""

    source: Annotated[
        str,
        OneOf(FEATURES),
        Field(
            description="sam: the frozen image encoder of propose.sam; resnet18, resnet50: with "
            "FPN and GroupNorm, trained; SAPNet has resnet50; vgg16: a single map of stride 8, "
            "trained; WeakSAM has it; transformers: a frozen model of that library, the "
            "segmenter's or that of `path`"
        ),
    ] = "sam"
    path: Annotated[
        str | None,
        Field(
            description="source transformers; null: the encoder of propose.transformers; else a "
            "local folder with an image backbone, such as DINOv2"
        ),
        PLACE,
    ] = None
    weights: Annotated[
        str | None,
        Field(
            description="torchvision weight file of the resnet or vgg16, fetched by its name; "
            "null: from scratch"
        ),
        PLACE,
    ] = None
    weights_sha256: Annotated[str | None, Field(description="checksum of that file")] = None
    frozen: Annotated[
        int,
        Field(
            ge=0,
            le=5,
            description="source vgg16 with a weight file: first blocks of convolutions that are "
            "not trained; OICR: 2; WeakSAM's code means to freeze them, and trains all: 0",
        ),
        FIT,
    ] = 2
    short_side: Annotated[
        int,
        Field(
            ge=32,
            description="px; input of a resnet, vgg16 or backbone is scaled to this; SAPNet: 800; "
            "WeakSAM draws one of 480 to 1200, which is not built",
        ),
    ] = 256
    long_side: Annotated[int, Field(ge=32, description="px; but not beyond this; paper: 1333")] = (
        512
    )
    channels: Annotated[
        int,
        Field(
            ge=8,
            multiple_of=8,
            description="of the FPN, or of the adapter on a frozen map; paper: 256; not read with "
            "vgg16, whose map has 512",
        ),
    ] = 64
    hidden: Annotated[
        int,
        Field(
            ge=8,
            description="width of the two fully-connected layers; SAPNet: 1024; WeakSAM: 4096, "
            "which with vgg16 and a roi_size of 7 start from the weight file too",
        ),
    ] = 256
    dropout: Annotated[
        float,
        Field(
            ge=0,
            lt=1,
            description="share of numbers that is dropped behind both layers in training; "
            "WeakSAM's code: 0.5",
        ),
        FIT,
    ] = 0.0
    roi_size: Annotated[int, Field(ge=1, le=14, description="RoIAlign output side; paper: 7")] = 7
    cache: Annotated[
        bool,
        Field(
            description="of frozen models: keep embeddings for all stages of the run, in "
            "results/<run>/embeddings, until `snakemake tidy`; 0.1 MB per image with vit_tiny, "
            "4 MB with vit_h, twice that with flips"
        ),
    ] = True

    @property
    def map_channels(self) -> int:
        """Channels of the maps that RoIs are pooled from."""
        return VGG_CHANNELS if self.source == "vgg16" else self.channels

    @model_validator(mode="after")
    def _sides(self) -> Self:
        check_sides(self.short_side, self.long_side)
        return self


class Pdg(Section):
    """Point distance guidance (SAPNet, Eq. 2 and 3)."""

    apply: Annotated[
        Literal["score", "selection", "logits", "none"],
        Field(
            description="score: multiplies S in loss and selection (Eq. 3); selection: in the "
            "selection only; logits: scales the class logits in the loss (authors' code); none"
        ),
    ] = "selection"
    distance: Annotated[
        Literal["euclid", "sqrt"],
        Field(description="euclid: the paper; sqrt: square root of it, the authors' code"),
    ] = "euclid"
    neighbour: Annotated[
        Literal["point", "bag"],
        Field(
            description="a proposal is penalised for another object of its class when it contains "
            "its point (authors' code), or touches any of its proposals (Sec. 3.2 by the letter)"
        ),
    ] = "point"
    exponent: Annotated[
        float, Field(ge=0, description="d of Eq. 2; paper 0.015, which hardly moves the scores")
    ] = 4.0
    min_distance: Annotated[
        float,
        Field(ge=0, description="px; W is at least this where a neighbour is enclosed; paper: 0"),
    ] = 1.0


class Settings(Section):
    """PSM with PDG: learned (SAPNet, Sec. 3.2)."""

    features: Annotated[Features, Field(description="backbone and head")] = Features()
    pdg: Annotated[Pdg, Field(description="point distance guidance")] = Pdg()
    background: Annotated[
        bool, Field(description="true: K + 1 columns (authors' code); false: K (paper)")
    ] = False
    loss_weight: Annotated[
        float, Field(gt=0, description="lambda of the PSM loss; paper 0.25"), FIT
    ] = 0.25
    quality_exponent: Annotated[
        float,
        Field(ge=0, description="power of SAM's predicted IoU in the selection; paper 0: not used"),
        CHOOSE,
    ] = 2.0
    given: Annotated[
        Literal["certain", "bag"],
        Field(
            description="an object whose mask is known beside its point or box, as where a person "
            "has corrected it, teaches PSM and PRM: bag: with its bag, as if no mask were known; "
            "certain: with that mask alone, which gained nothing where it was measured"
        ),
        FIT,
    ] = "bag"
    training: Annotated[Training, Field(description="optimiser and schedule"), FIT] = Training()

    @classmethod
    def also_for_fit(cls, values: Mapping[str, Any], *, joint: bool) -> Iterable[str]:
        """SAM's own score counts where PRM is trained on what PSM chooses at that very step."""
        return ("quality_exponent",) if joint else ()
