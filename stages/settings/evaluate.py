"""Section `evaluate`: what is measured against ground truth."""

from typing import Literal

from stages.settings.limits import Edges
from stages.settings.section import Annotated, Field, Section


class Evaluate(Section):
    """What is compared with what, and the definitions of the error shares."""

    match: Annotated[
        Literal["auto", "instance", "iou"],
        Field(
            description="instance: each label with the object that its weak label came from; iou: "
            "labels and objects of a class by their IoU, which labels of tags need, and files of "
            "others; it also tells recall of proposals, and CorLoc and AP50 of the tags' "
            "detections; auto: iou where all weak labels are tags, else instance"
        ),
    ] = "auto"
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
    label_ap: Annotated[
        bool, Field(description="true: labels are scored as if they were detections, too")
    ] = True
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
