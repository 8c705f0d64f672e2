"""Section `export`: from pseudo-labels to COCO JSON, and from there to other formats."""

from typing import Literal

from stages.settings.section import CONVERT, Annotated, Field, Section


class MergeSmaller(Section):
    """A pixel belongs to the smallest object that claims it."""

    name: Literal["merge_smaller"] = Field(
        description="a pixel belongs to the smallest object that claims it"
    )


class Agreement(Section):
    """A mask whose box fits the known box badly gets mask_weight 0 (BoxCaseg)."""

    name: Literal["agreement"] = Field(
        description="a mask whose box fits the known box badly gets mask_weight 0 (BoxCaseg)"
    )
    box: Annotated[
        Literal["given", "refined"],
        Field(description="known box: of the weak label, or the one that refine found"),
    ] = "refined"
    threshold: Annotated[
        float, Field(ge=0, le=1, description="the IoU must be above; COCO: 0.95")
    ] = 0.95
    convention: Annotated[
        Literal["half_open", "authors"],
        Field(description="authors: +1 px, so that no object under 39 px reaches 0.95"),
    ] = "half_open"


class DropBelow(Section):
    """Less sure annotations are left out."""

    name: Literal["drop_below"] = Field(description="less sure annotations are left out")
    score: Annotated[float, Field(ge=0, le=1, description="least score kept")] = 0.5


WrittenFormat = Literal["coco_rle", "coco_polygons", "voc", "yolo", "labelme"]
AnyTransform = Annotated[MergeSmaller | Agreement | DropBelow, Field(discriminator="name")]


class Export(Section):
    """What the pseudo-label file holds beside the masks."""

    transforms: Annotated[
        tuple[AnyTransform, ...],
        Field(
            description="in this order, such as [{name: merge_smaller}, {name: agreement}, "
            "{name: drop_below, score: 0.5}]"
        ),
    ] = ()
    extra_masks: Annotated[
        int,
        Field(ge=0, le=3, description="runner-up masks per annotation (SAPNet, Sec. 7); 0 to 3"),
    ] = 3
    formats: Annotated[
        tuple[WrittenFormat, ...],
        Field(
            description="coco_rle | coco_polygons | voc | yolo | labelme: what is written beside "
            "pseudo_labels.json, which is coco_rle, each to a folder of its name"
        ),
        CONVERT,
    ] = ("coco_rle",)
    category_ids: Annotated[
        Literal["keep", "from_one"],
        Field(
            description="of classes in coco_rle and coco_polygons; from_one: 1, 2, ... in their "
            "order, for readers that lose a class 0; pseudo_labels.json keeps its own"
        ),
        CONVERT,
    ] = "keep"
