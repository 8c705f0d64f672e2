"""Table `trail`: what a method did on the way to each pseudo-label, step by step."""

import pyarrow as pa

from stages.tables.record import BOX, FINITE, IMAGE, INSTANCE, Record, column

TRAIL = Record(
    "trail",
    1,
    (
        IMAGE,
        INSTANCE,
        column("step", pa.int32(), "from 0, in the order in which they were taken"),
        column("name", pa.string(), "what was done: psm, prm, prm_bms, ..."),
        column("box", BOX, "xyxy px after the step, or null", null=True),
        column("proposal_id", pa.int32(), "the proposal that stands for it, or null", null=True),
        column("score", pa.float32(), "what the step was decided by, or null", null=True),
        column("note", pa.string(), "a word on the step, such as the rule that moved the box"),
    ),
    ("image_id", "instance_id", "step"),
    (("step", 0, FINITE), ("score", -FINITE, FINITE), ("proposal_id", 0, FINITE)),
)
