"""Table `boxed`: what a segmenter says to boxes; kept among its answers."""

import pyarrow as pa

from stages.tables.record import BOX, FINITE, HUGE, IMAGE, Record, column

BOXED = Record(
    "boxed",
    1,
    (
        IMAGE,
        column("question", pa.int32(), "number of the box among those of the image, from 0"),
        column("box", BOX, "xyxy px, with which it was asked"),
        column("rle", pa.binary(), "COCO run-length counts of its mask; may be empty"),
        column("height", pa.int32(), "px, of the image and the mask"),
        column("width", pa.int32(), "px"),
        column("predicted_iou", pa.float32(), "IoU that the segmenter predicts for its mask"),
    ),
    ("image_id", "question"),
    (
        *(("question", 0, FINITE), ("height", 1, HUGE), ("width", 1, HUGE)),
        ("predicted_iou", -FINITE, FINITE),
    ),
)
