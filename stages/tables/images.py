"""Table `images`: every photograph that is labelled, its size and its shard."""

import pyarrow as pa
import pyarrow.compute as pc

from stages.tables.table import HUGE, IMAGE, Record, column

IMAGES = Record(
    "images",
    1,
    (
        IMAGE,
        column("file_name", pa.string(), "path inside the image folder"),
        column("height", pa.int32(), "px"),
        column("width", pa.int32(), "px"),
        column("shard", pa.int32(), "number of the shard that holds the image, from 0"),
    ),
    ("image_id",),
    (("height", 1, HUGE), ("width", 1, HUGE), ("shard", 0, HUGE)),
)


def images_of_shard(images: pa.Table, shard: int) -> pa.Table:
    """The rows of `images` (table images) that belong to shard number `shard`."""
    return images.filter(pc.equal(images.column("shard"), shard))
