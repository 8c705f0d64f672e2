"""Section `dataset`: where images and labels are."""

from typing import Literal, Self

from pydantic import model_validator

from stages.formats.format import AUTO, FORMATS
from stages.settings.blocks import OneOf
from stages.settings.section import Annotated, Field, Section


class Split(Section):
    """One split of a data set; paths may hold environment variables, such as ${COCO_TINY}."""

    images: Annotated[str, Field(description="image folder")]
    annotations: Annotated[str, Field(description="file or folder of labels")]
    format: Annotated[
        str,
        OneOf((AUTO, *FORMATS)),
        Field(description="of the labels; auto: told by what the file holds"),
    ] = AUTO


class Partworld(Section):
    """The procedural demo data set."""

    train: Annotated[int, Field(ge=1, description="training scenes")] = 240
    val: Annotated[int, Field(ge=1, description="held-out scenes")] = 300
    salient: Annotated[
        int,
        Field(
            ge=0,
            description="images of single objects with masks, drawn where something learns from "
            "such; or 0",
        ),
    ] = 3200
    look: Annotated[
        Literal["plain", "hard"],
        Field(
            description="plain: colours give objects away; hard: objects, neighbours and "
            "background share a few, under stronger light, grain and blur"
        ),
    ] = "plain"


class Salient(Section):
    """Images of salient objects and their masks, such as DUTS-TR; ${VARIABLES} as in a split."""

    images: Annotated[str, Field(description="folder of images, such as DUTS-TR-Image")]
    masks: Annotated[
        str, Field(description="folder of masks of the same names, bright on the object")
    ]
    listed: Annotated[
        str | None, Field(description="file that names the images to take, one a line; null: all")
    ] = None
    single: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="an image counts where the largest connected part of its mask has this "
            "share of it or more; 0: all",
        ),
    ] = 0.95


class Dataset(Section):
    """Where images and labels are."""

    source: Annotated[
        Literal["partworld", "files"], Field(description="the demo's own world, or files on disk")
    ] = "partworld"
    partworld: Annotated[Partworld, Field(description="for source partworld")] = Partworld()
    train: Annotated[Split | None, Field(description="for source files: images to label")] = None
    val: Annotated[
        Split | None,
        Field(description="for source files: held out, for the detector's AP; or null"),
    ] = None
    salient: Annotated[
        Salient | None,
        Field(
            description="images of single objects with masks, for what learns from such; on "
            "PartWorld, partworld.salient draws them"
        ),
    ] = None
    corrections: Annotated[
        str | None,
        Field(
            description="what people have made of labels, as `python -m stages.correct` writes it, "
            "laid over the training labels; or null"
        ),
    ] = None
    ground_truth: Annotated[
        bool, Field(description="the training annotations hold true masks, so labels can be scored")
    ] = True
    follow_links: Annotated[
        bool,
        Field(
            description="photographs may be links that lead out of their folder (DVC, git-annex, "
            "shared disks)"
        ),
    ] = False
    watch: Annotated[
        Literal["content", "stat"],
        Field(
            description="how a changed file is noticed: by its content, or by size and date, for "
            "very large folders"
        ),
    ] = "content"

    @model_validator(mode="after")
    def _source_fits(self) -> Self:
        if self.source == "files" and not self.train:
            raise ValueError(
                "{at}.train is missing, but {at}.source is files; give it `images` (a folder) and "
                "`annotations` (a COCO JSON file)"
            )
        if self.source == "partworld" and self.train:
            raise ValueError(
                "{at}.train is given, but {at}.source is partworld; set {at}.source to files"
            )
        return self

    @model_validator(mode="after")
    def _one_salient_set(self) -> Self:
        if self.source == "partworld" and self.partworld.salient and self.salient:
            raise ValueError(
                "{at}.salient is given, and {at}.partworld.salient draws "
                f"{self.partworld.salient} images as well; set one of them to null or 0"
            )
        return self
