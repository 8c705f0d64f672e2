"""Table `predictions`: what a detector says of the training images, for the next round."""

import pyarrow as pa

from stages.tables.record import BOX, FINITE, HUGE, IMAGE, Record, column

CROSSED = "crossed_sha256"  # in the header: models of which none has learned from what it judges
PREDICTIONS = Record(
    "predictions",
    1,
    (
        IMAGE,
        column("prediction_id", pa.int32(), "number in the image from 0, the surest first"),
        column("category_id", pa.int32(), "class"),
        column("box", BOX, "xyxy px"),
        column("score", pa.float32(), "how sure the detector is, 0 to 1"),
        column("rle", pa.binary(), "COCO run-length counts of the mask; may be empty"),
        column("height", pa.int32(), "px, of the image and the mask"),
        column("width", pa.int32(), "px"),
    ),
    ("image_id", "prediction_id"),
    (
        *(("prediction_id", 0, FINITE), ("score", 0, 1.001)),
        *(("height", 1, HUGE), ("width", 1, HUGE)),
    ),
)
