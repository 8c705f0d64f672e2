"""Boxes that a selector found for the tags of one image, from rows of tables."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.metrics.match_judge import Detections
from stages.metrics.shapes import Shapes
from stages.tables.selections import moved_boxes
from stages.tables.table import boxes_of
from stages.tables.weak_labels import TAG_BAG

OFFERED = ("image_id", "bag_id", "proposal_id", "box", "valid")  # columns of table `proposals`
SCORED = (  # of table `selections`
    *("image_id", "bag_id", "proposal_id", "category_id", "score", "selected", "score_cls"),
    *("score_ins", "box"),
)


def offered_boxes(proposals: pa.Table | None) -> np.ndarray:
    """Boxes of all valid proposals of one image, of whatever bag, (n, 4) float64 xyxy px.

    Parameters
    ----------
    proposals : rows of one image, with OFFERED; None for no rows.
    """
    if proposals is None:
        return np.zeros((0, 4))
    return boxes_of(proposals.filter(proposals.column("valid"))).astype(np.float64)


def tag_detections(proposals: pa.Table | None, selections: pa.Table | None) -> Detections | None:
    """What was found in the bag of an image's tags; None where it has no such bag.

    Parameters
    ----------
    proposals, selections : rows of one image, with OFFERED and SCORED; None for no rows. A
        proposal that is not valid keeps its bag from being empty, and is no box.
    """
    if proposals is None or selections is None:
        return None
    offered = proposals.filter(pc.equal(proposals.column("bag_id"), TAG_BAG))
    if not len(offered):
        return None
    offered = offered.filter(offered.column("valid"))
    known = offered.column("proposal_id").to_numpy()  # rising
    scored = selections.filter(pc.equal(selections.column("bag_id"), TAG_BAG))
    scored = scored.filter(pc.is_in(scored.column("proposal_id"), value_set=pa.array(known)))
    places = np.searchsorted(known, scored.column("proposal_id").to_numpy())
    own = boxes_of(offered).astype(np.float64)[places]
    return Detections(
        Shapes(
            scored.column("category_id").to_numpy().astype(np.int64),
            moved_boxes(scored, own),
            None,
            scored.column("score").to_numpy().astype(np.float64),
        ),
        own,
        _two_branch(scored),
        scored.column("selected").to_numpy(zero_copy_only=False),
    )


def _two_branch(scored: pa.Table) -> np.ndarray | None:
    """(n,) S_cls times S_ins, the score of the head before refinement; None without them."""
    names = ("score_cls", "score_ins")
    if any(scored.column(name).null_count for name in names):
        return None
    factors = [scored.column(name).to_numpy().astype(np.float64) for name in names]
    return np.asarray(factors[0] * factors[1])
