"""Table `selections`: every score of every proposal."""

import pyarrow as pa

from stages.tables.table import IMAGE, INSTANCE, PROPOSAL, Record, column

SELECTIONS = Record(
    "selections",
    1,
    (
        IMAGE,
        INSTANCE,
        PROPOSAL,
        column("score_cls", pa.float32(), "S_cls of the labelled class, 0 to 1 (SAPNet 3.2)"),
        column("score_ins", pa.float32(), "S_ins of the labelled class, 0 to 1"),
        column("score_dis", pa.float32(), "S_dis, the point distance guidance, 0 to 1 (Eq. 2)"),
        column("score", pa.float32(), "what the choice was made by"),
        column("selected", pa.bool_(), "true for one proposal of each instance"),
        column("bag_score", pa.float32(), "sum of S_cls S_ins over the bag, 0 to 1"),
    ),
    ("image_id", "instance_id", "proposal_id"),
    (("score_cls", 0, 1), ("score_ins", 0, 1), ("score_dis", 0, 1), ("bag_score", 0, 1.001)),
)
