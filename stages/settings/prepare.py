"""Section `prepare`: from an annotation file to images and weak labels."""

from typing import Literal

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
