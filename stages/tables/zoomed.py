"""Table `zoomed`: what a segmenter sees close up about boxes; kept among its answers."""

import pyarrow as pa

from stages.tables.record import BOX, FINITE, HUGE, IMAGE, Record, column

ZOOMED = Record(
    "zoomed",
    1,
    (
        IMAGE,
        column("question", pa.int32(), "number of the box among those of the image, from 0"),
        column("box", BOX, "xyxy px, about which it was asked"),
        column("rle", pa.binary(), "COCO run-length counts of what it sees; may be empty"),
        column("height", pa.int32(), "px, of the image and the mask"),
        column("width", pa.int32(), "px"),
    ),
    ("image_id", "question"),
    (("question", 0, FINITE), ("height", 1, HUGE), ("width", 1, HUGE)),
)
