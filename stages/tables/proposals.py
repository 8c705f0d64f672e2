"""Table `proposals`: the bag of masks of every instance."""

import pyarrow as pa

from stages.tables.table import BOX, HUGE, IMAGE, PROPOSAL, Record, column

PROPOSALS = Record(
    "proposals",
    1,
    (
        IMAGE,
        column("instance_id", pa.int64(), "the prompted instance; null for grid", null=True),
        PROPOSAL,
        column("prompt_kind", pa.string(), "point, inner_points or boxes; mirrored_: see propose"),
        column("prompt_index", pa.int32(), "number of the prompt within its kind, from 0"),
        column("mask_index", pa.int32(), "slot of the mask in SAM's answer, from 0"),
        column("box", BOX, "bounding box of the mask, xyxy px, half-open"),
        column("area", pa.int64(), "px^2 of the mask; 0 when SAM's mask was empty"),
        column("rle", pa.binary(), "COCO run-length counts of the mask"),
        column("height", pa.int32(), "px, of the image and the mask"),
        column("width", pa.int32(), "px"),
        column("sam_score", pa.float32(), "IoU that SAM predicts for its mask"),
        column("stability", pa.float32(), "IoU of the mask at two logit thresholds, 0 to 1"),
        column("valid", pa.bool_(), "false for an empty mask, kept so that no bag is empty"),
    ),
    ("image_id", "instance_id", "proposal_id"),
    (("area", 0, HUGE), ("stability", 0, 1)),
)
