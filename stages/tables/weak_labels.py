"""Table `weak_labels`: what a person gave about each image."""

import pyarrow as pa

from stages.tables.table import BOX, HUGE, IMAGE, INSTANCE, Record, column

WEAK_LABELS = Record(
    "weak_labels",
    1,
    (
        IMAGE,
        INSTANCE,
        column("category_id", pa.int32(), "class"),
        column("kind", pa.string(), "point, box, tag or mask: what a person gave"),
        column("x", pa.float32(), "px from the left edge of the image", null=True),
        column("y", pa.float32(), "px from the upper edge of the image", null=True),
        column("box", BOX, "xyxy px, for kind box", null=True),
    ),
    ("image_id", "instance_id"),
    (("x", 0, HUGE), ("y", 0, HUGE)),
)
