"""Table `pseudo_labels`: the mask of every instance; all that export reads beside the images."""

import pyarrow as pa

from stages.tables.record import BOX, HUGE, IMAGE, INSTANCE, Record, column

SOURCES = ("given", "proposal", "vote", "zoom", "box_prompt", "box", "detector", "fused")
PSEUDO_LABELS = Record(
    "pseudo_labels",
    1,
    (
        IMAGE,
        INSTANCE,
        column("label_ids", pa.list_(pa.int64()), "the weak labels that it rests on"),
        column("category_id", pa.int32(), "class"),
        column("box", BOX, "what is known of its box: given, else refined, else the mask's hull"),
        column("box_given", pa.bool_(), "whether a person gave the box"),
        column("rle", pa.binary(), "COCO run-length counts of the mask; may be empty"),
        column("height", pa.int32(), "px"),
        column("width", pa.int32(), "px"),
        column("score", pa.float32(), "how sure the class is, 0 to 1"),
        column("mask_quality", pa.float32(), "how good the mask is thought to be, 0 to 1"),
        column(
            "mask_source",
            pa.string(),
            "given, proposal, vote, zoom, box_prompt, detector, fused, or box, filled: its origin",
        ),
        column("proposal_id", pa.int32(), "the proposal that it started from, or null", null=True),
        column("extra_rles", pa.list_(pa.binary()), "up to three runner-up masks (SAPNet, Sec. 7)"),
        column("ignore_rle", pa.binary(), "px that no training looks at, or null", null=True),
        column("mask_weight", pa.float32(), "0: the mask is not trusted, the box is; 1: it is"),
    ),
    ("image_id", "instance_id"),
    (
        *(("height", 1, HUGE), ("width", 1, HUGE), ("score", 0, 1.001)),
        *(("mask_quality", 0, 1), ("mask_weight", 0, HUGE), ("proposal_id", 0, HUGE)),
    ),
    {"mask_source": SOURCES},
)
