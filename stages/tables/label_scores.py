"""Table `label_scores`: how sure a detector is of each pseudo-label's class, in the label's box."""

import pyarrow as pa

from stages.tables.record import IMAGE, INSTANCE, Record, column

LABEL_SCORES = Record(
    "label_scores",
    1,
    (
        IMAGE,
        INSTANCE,
        column("score", pa.float32(), "probability of the label's class, 0 to 1"),
    ),
    ("image_id", "instance_id"),
    (("score", 0, 1.001),),
)
