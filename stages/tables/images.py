"""Table `images`: every photograph that is labelled, its size, its content and its shard."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from stages.tables.record import HUGE, IMAGE, Record, column
from stages.tables.shard_names import shard_number
from stages.tables.table import read_table

IMAGES = Record(
    "images",
    3,
    (
        IMAGE,
        column("file_name", pa.string(), "path inside the image folder"),
        column("height", pa.int32(), "px"),
        column("width", pa.int32(), "px"),
        column("shard", pa.int32(), "number of the shard that holds the image, from 0"),
        column("orientation", pa.int8(), "EXIF orientation that is applied; 1: none"),
        column("black", pa.float64(), "of more than 8 bits: value that is 0", null=True),
        column("white", pa.float64(), "of more than 8 bits: value that is 255", null=True),
        column("digest", pa.string(), "SHA-256 of the file and of these three, hexadecimal"),
    ),
    ("image_id",),
    (("height", 1, HUGE), ("width", 1, HUGE), ("shard", 0, HUGE), ("orientation", 1, 8)),
)


def shard_of(image_id: int, shards: int) -> int:
    """Number of the shard of an image: by a hash of its id, so that a new image moves no other."""
    digest = hashlib.sha256(str(image_id).encode()).digest()
    return int.from_bytes(digest[:8], "big") % shards


def shard_images(images: Path, shard: str) -> pa.Table:
    """Rows of the table in a file that belong to a shard, named such as 0003-of-0128."""
    table = read_table(images, IMAGES)
    return table.filter(pc.equal(table.column("shard"), shard_number(shard)))
