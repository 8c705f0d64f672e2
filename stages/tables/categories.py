"""Table `categories`: the classes."""

import pyarrow as pa

from stages.tables.record import Record, column

CATEGORIES = Record(
    "categories",
    1,
    (
        column("category_id", pa.int32(), "id of the class in the annotation file"),
        column("name", pa.string(), "name of the class"),
        column("supercategory", pa.string(), "COCO supercategory, or empty"),
    ),
    ("category_id",),
)
