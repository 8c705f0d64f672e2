"""Section `evaluate`: what is measured against ground truth."""

from typing import Literal

from stages.settings.limits import Edges
from stages.settings.section import Annotated, Field, Section


class Evaluate(Section):
    """Definitions of the error shares; every mask is compared with the object's own mask."""

    group_cover: Annotated[
        float,
        Field(
            gt=0, le=1, description="group error: covers this share of another object of the class"
        ),
    ] = 0.5
    local_cover: Annotated[
        float, Field(gt=0, le=1, description="local error: covers less than this of its object ...")
    ] = 0.5
    local_inside: Annotated[
        float, Field(gt=0, le=1, description="... and more than this of the mask lies inside it")
    ] = 0.6
    sizes: Annotated[
        Edges,
        Field(
            description="edges between the classes of size by which label quality is told, as "
            "shares of the image's area; an object at an edge is in the larger class",
        ),
    ] = (0.005, 0.02, 0.08, 0.2)
    recall_points: Annotated[
        Literal[11, 101, 1001],
        Field(
            description="recall grid of mAP25/50/70/75: 11: VOC 2007; 101: COCO; 1001: about the "
            "area under the curve, VOC 2010 on"
        ),
    ] = 101
    backend: Annotated[
        Literal["auto", "pycocotools", "hotcoco", "faster_coco_eval"],
        Field(
            description="scores detections; auto: hotcoco where it is installed, some 15 x as "
            "fast and equal to the last bit, else pycocotools"
        ),
    ] = "auto"
