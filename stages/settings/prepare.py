"""Section `prepare`: from an annotation file to images and weak labels."""

from typing import Literal, Self

from pydantic import model_validator

from stages.settings.section import Annotated, Field, Section


class Prepare(Section):
    """How weak labels are read or drawn."""

    labels: Annotated[
        Literal["given", "point", "box", "box_and_point", "tag"],
        Field(
            description="given: what each annotation holds (mask, else box, else point, else "
            "class); point, box, box_and_point, tag: that alone, derived where it is not there; "
            "every mask and box beyond it is ground truth, which no stage before evaluate sees"
        ),
    ] = "point"
    mask_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="of point, box, box_and_point: share of the objects whose mask a person "
            "has given instead, drawn for each alone; it is their label, and no ground truth",
        ),
    ] = 0.0
    point: Annotated[
        Literal["uniform", "quasi_center"],
        Field(
            description="of an annotation without `point: [x, y]`: drawn uniformly in its mask, or "
            "near the centre of it (the QC points of the README of SAPNet's code)"
        ),
    ] = "uniform"
    sigma: Annotated[
        float, Field(gt=0, description="quasi_center: sigma of the Gaussian, in box sides")
    ] = 0.25
    size_range: Annotated[
        float, Field(gt=0, le=2, description="quasi_center: axes of the ellipse, in box sides")
    ] = 0.25
    crowds: Annotated[
        Literal["pointed", "none", "all"],
        Field(
            description="which annotations with iscrowd 1 are objects: those with a point (CVAT "
            "writes 1 for every brush mask), none (COCO's own sense), or all; the others are left "
            "out and counted"
        ),
    ] = "pointed"
    orientation: Annotated[
        Literal["auto", "raw", "exif"],
        Field(
            description="photographs as stored, or turned as their EXIF says; auto: the one whose "
            "size fits the file of labels"
        ),
    ] = "auto"
    depth: Annotated[
        Literal["auto", 8, 12, 16, "minmax"],
        Field(
            description="bits that photographs of more than 8 fill; minmax: from the least to "
            "the largest value of each; auto: as the file declares, else minmax"
        ),
    ] = "auto"
    verify: Annotated[
        Literal["decode", "header"],
        Field(description="decode every image once before any heavy work, or read headers only"),
    ] = "decode"
    undecodable: Annotated[
        Literal["fail", "skip"],
        Field(description="an image that cannot be read: stop, or name it, count it and go on"),
    ] = "fail"

    @model_validator(mode="after")
    def _shares_what_is_weakened(self) -> Self:
        if self.mask_share and self.labels not in ("point", "box", "box_and_point"):
            raise ValueError(
                f"{{at}}.mask_share is {self.mask_share:g}, but {{at}}.labels is {self.labels}, "
                "which derives no label of each object; set mask_share: 0, or labels to point, box "
                "or box_and_point"
            )
        return self
