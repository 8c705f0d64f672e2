"""Table `prompts`: what a segmenter is asked about an image."""

import pyarrow as pa

from stages.tables.record import BAG, BOX, FINITE, IMAGE, Record, column

GRID = "grid"  # kind of the prompt that is a point for each cell of an image
POINT = pa.list_(pa.float32(), 2)
PROMPTS = Record(
    "prompts",
    1,
    (
        IMAGE,
        BAG,
        column("prompt_id", pa.int32(), "number in the bag, from 0"),
        column("kind", pa.string(), "point, box, grid, peak, or peaks: of a class, asked as one"),
        column(
            "points",
            pa.list_(POINT),
            "x, y px each; of a grid each is asked alone; null for a box alone",
            null=True,
        ),
        column("point_signs", pa.list_(pa.int8()), "1: on the object, 0: beside it", null=True),
        column("box", BOX, "xyxy px; null without one", null=True),
        column("category_id", pa.int32(), "class; null: any", null=True),
        column(
            "value", pa.float32(), "of the peak that it was found at; null elsewhere", null=True
        ),
        column("source_map", pa.string(), "map that it was found in; null elsewhere", null=True),
    ),
    ("image_id", "bag_id", "prompt_id"),
    (
        *(("prompt_id", 0, FINITE), ("points", -FINITE, FINITE), ("point_signs", 0, 1)),
        ("value", -FINITE, FINITE),
    ),
    {"kind": ("point", "box", "grid", "peak", "peaks")},
)
