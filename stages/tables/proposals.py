"""Table `proposals`: the bag of masks of every object that was prompted."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.tables.record import BAG, BOX, FINITE, HUGE, IMAGE, PROPOSAL, Record, column

MIRRORED = "mirrored_"  # before prompt_kind where the mirrored image was asked
PROPOSALS = Record(
    "proposals",
    2,
    (
        IMAGE,
        BAG,
        PROPOSAL,
        column(
            "prompt_kind",
            pa.string(),
            "point, box, grid, peak, peaks, or inner_points, boxes; mirrored_: propose",
        ),
        column(
            "prompt_id", pa.int32(), "of table prompts: what it answers, at first or second hand"
        ),
        column(
            "derived",
            pa.int32(),
            "number, from 0, of the prompt made from earlier answers to prompt_id, or of the point "
            "of a grid; null: its own",
            null=True,
        ),
        column("mask_index", pa.int32(), "slot of the mask in the segmenter's answer, from 0"),
        column("category_id", pa.int32(), "class of the prompt; null: any", null=True),
        column("box", BOX, "bounding box of the mask, xyxy px, half-open"),
        column("area", pa.int64(), "px^2 of the mask; 0 when the segmenter's mask was empty"),
        column("rle", pa.binary(), "COCO run-length counts of the mask"),
        column("soft", pa.binary(), "zlib uint8 probabilities within the box, or null", null=True),
        column("height", pa.int32(), "px, of the image and the mask"),
        column("width", pa.int32(), "px"),
        column("predicted_iou", pa.float32(), "IoU that the segmenter predicts for its mask"),
        column("stability", pa.float32(), "IoU of the mask at two logit thresholds, 0 to 1"),
        column("valid", pa.bool_(), "false for an empty mask, kept so that no bag is empty"),
    ),
    ("image_id", "bag_id", "proposal_id"),
    (
        *(("proposal_id", 0, FINITE), ("prompt_id", 0, FINITE), ("derived", 0, FINITE)),
        *(("mask_index", 0, FINITE), ("area", 0, HUGE), ("height", 1, HUGE), ("width", 1, HUGE)),
        *(("predicted_iou", -FINITE, FINITE), ("stability", 0, 1)),
    ),
)


def own_answers(rows: pa.Table) -> np.ndarray:
    """(n,) bool: the answer to a label's own prompt, about the image as it is.

    Parameters
    ----------
    rows : (n,) of the table, with prompt_kind and derived.
    """
    mirrored = pc.starts_with(rows.column("prompt_kind"), MIRRORED)
    own = pc.and_(pc.is_null(rows.column("derived")), pc.invert(mirrored))
    return np.asarray(own.to_numpy(zero_copy_only=False))
