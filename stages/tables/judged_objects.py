"""Table `judged_objects`: how good the mask of each pseudo-label is; written by evaluate alone."""

import pyarrow as pa

from stages.tables.record import IMAGE, INSTANCE, Record, column

JUDGED_OBJECTS = Record(
    "judged_objects",
    1,
    (
        IMAGE,
        INSTANCE,
        column("mask_iou", pa.float32(), "of the mask with that of the true object, 0 to 1"),
    ),
    ("image_id", "instance_id"),
    (("mask_iou", 0, 1.001),),
)
