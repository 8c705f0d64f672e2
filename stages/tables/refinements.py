"""Table `refinements`: boxes, BMS rule and mask of every instance."""

import pyarrow as pa

from stages.tables.table import BOX, IMAGE, INSTANCE, Record, column

REFINEMENTS = Record(
    "refinements",
    2,
    (
        IMAGE,
        INSTANCE,
        column("box_psm", BOX, "box of the proposal that select chose"),
        column("box_select", BOX, "best box of the enlarged bag by the PRM score"),
        column("box_prm", BOX, "box_select after box mining (BMS)"),
        column("bms_rule", pa.string(), "none, overlap or contain: which rule of BMS moved it"),
        column("proposal_id", pa.int32(), "chosen proposal: the one closest to box_prm"),
        column("proposal_id_select", pa.int32(), "the one closest to box_select: PRM without BMS"),
        column("mask_source", pa.string(), "proposal, vote or zoom: where rle comes from"),
        column("rle", pa.binary(), "COCO run-length counts of the pseudo-label"),
        column("height", pa.int32(), "px"),
        column("width", pa.int32(), "px"),
        column("score", pa.float32(), "PRM score of box_select"),
        column("bag_score", pa.float32(), "PSM bag score of the instance, 0 to 1"),
        column("extra_rles", pa.list_(pa.binary()), "up to three runner-up masks (SAPNet, Sec. 7)"),
    ),
    ("image_id", "instance_id"),
    (("bag_score", 0, 1.001),),
)
