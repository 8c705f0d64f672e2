"""Keys of SIM's self-correction: prototypes, semantic maps and fused masks (CVPR 2023)."""

from typing import Literal, Self

from pydantic import model_validator

from stages.settings.section import CHOOSE, FIT, Annotated, Field, Section

Chance = Annotated[float, Field(ge=0, le=1)]


class Sinkhorn(Section):
    """How the pixels of an image are dealt to the prototypes (Eq. 2 and 3)."""

    epsilon: Annotated[
        float, Field(gt=0, description="the smaller, the harder; authors' code: 0.05, paper: none")
    ] = 0.05
    iterations: Annotated[int, Field(ge=1, description="authors' code: 3, paper: none")] = 3


class Start(Section):
    """Where prototypes start: k-means++ on sampled pixels, then means; not in the paper."""

    images: Annotated[
        int, Field(ge=1, description="of each class, drawn at random, that pixels are taken of")
    ] = 128
    pixels: Annotated[
        int, Field(ge=1, description="of each class and image, drawn at random, at most")
    ] = 32
    passes: Annotated[
        int, Field(ge=0, description="times that prototypes move to the mean of these pixels")
    ] = 3


class Thresholds(Section):
    """What of a fused mask is sure (Eq. 7); the main paper has no values."""

    mode: Annotated[
        Literal["dynamic", "fixed"],
        Field(
            description="dynamic: authors' code, which keeps as many pixels as the teacher is sure "
            "of, the threshold between high_min and high_max; fixed: high"
        ),
    ] = "dynamic"
    low: Annotated[Chance, Field(description="below it is background")] = 0.4
    high: Annotated[Chance, Field(description="fixed: above it is foreground")] = 0.7
    high_min: Annotated[Chance, Field(description="dynamic: the least threshold")] = 0.7
    high_max: Annotated[Chance, Field(description="dynamic: the largest threshold")] = 0.8

    @model_validator(mode="after")
    def _rising(self) -> Self:
        least = self.high if self.mode == "fixed" else self.high_min
        if self.low > least:
            name = "high" if self.mode == "fixed" else "high_min"
            raise ValueError(
                f"{{at}}.low is {self.low}, above {name}, {least}; a pixel would be foreground and "
                "background; lower it"
            )
        if self.high_min > self.high_max:
            raise ValueError(
                f"{{at}}.high_min is {self.high_min}, above high_max, {self.high_max}; lower it"
            )
        return self


class Settings(Section):
    """SIM: the teacher's masks, corrected by prototypes of each class."""

    prototypes: Annotated[int, Field(ge=1, description="L, of each class; paper: 10"), FIT] = 10
    sure: Annotated[
        float,
        Field(
            gt=0,
            lt=1,
            description="probability above which the teacher's pixels are the object: prototypes "
            "are made of them, and the dynamic threshold counts them; authors' code: 0.7",
        ),
    ] = 0.7
    sinkhorn: Annotated[Sinkhorn, Field(description="optimal transport"), FIT] = Sinkhorn()
    start: Annotated[Start, Field(description="first prototypes"), FIT] = Start()
    update: Annotated[
        Literal["ema", "mean"],
        Field(
            description="ema: prototypes move after each image, in the order of their ids, paper; "
            "mean: to the mean of all pixels, for small data sets"
        ),
        FIT,
    ] = "ema"
    gamma: Annotated[
        float,
        Field(ge=0, lt=1, description="ema: what stays of a prototype; paper: 0.999"),
        FIT,
    ] = 0.999
    passes: Annotated[
        int,
        Field(ge=0, description="over all images; in each, pixels are dealt to fixed prototypes"),
        FIT,
    ] = 1
    tau: Annotated[
        float,
        Field(ge=0.001, description="temperature of Eq. 1; paper: 0.1, authors' code: 1"),
        CHOOSE,
    ] = 0.1
    alpha: Annotated[
        Chance,
        Field(
            description="weight of the teacher's mask beside the semantic map (Eq. 7); paper: 0.5; "
            "1: the teacher alone, no map is made"
        ),
        CHOOSE,
    ] = 0.5
    thresholds: Annotated[Thresholds, Field(description="what is sure"), CHOOSE] = Thresholds()
    min_score: Annotated[
        Chance,
        Field(description="masks of lower scores are not trusted, their boxes are"),
        CHOOSE,
    ] = 0.0
