"""Table `weak_labels`: what a person gave about each image."""

import pyarrow as pa

from stages.tables.record import BOX, HUGE, IMAGE, Record, column

KINDS = ("point", "box", "tag", "mask")
TAG_BAG = -1  # bag_id of the tags of an image
WEAK_LABELS = Record(
    "weak_labels",
    2,
    (
        IMAGE,
        column("label_id", pa.int64(), "id of the annotation; its number in the image without one"),
        column("kind", pa.string(), "point, box, tag or mask"),
        column("category_id", pa.int32(), "class"),
        column("instance_id", pa.int64(), "the object that it is about; null for a tag", null=True),
        column("bag_id", pa.int64(), "the object's instance_id; -1 for a tag"),
        column("x", pa.float32(), "px from the left edge, for kind point", null=True),
        column("y", pa.float32(), "px from the upper edge, for kind point", null=True),
        column("box", BOX, "xyxy px, for kind box, and of the mask for kind mask", null=True),
        column("rle", pa.binary(), "COCO run-length counts, for kind mask", null=True),
        column("status", pa.string(), "given, accepted, corrected or deleted"),
    ),
    ("image_id", "label_id"),
    (("x", 0, HUGE), ("y", 0, HUGE)),
    {"kind": KINDS, "status": ("given", "accepted", "corrected", "deleted")},
)
