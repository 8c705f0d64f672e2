"""What the bag that a mask was chosen from says of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from stages.geometry.masks import Rle, rle_areas, rle_cover, rle_iou, rle_of

BAG_EVIDENCE = {  # name: what it means where it speaks against a label
    "predicted_iou": "the segmenter itself expects a poor mask",
    "stability": "its border moves with the segmenter's threshold",
    "bag_score": "its class is unsure",
    "score_cls": "the network hardly sees the class in this mask",
    "score_ins": "the network does not prefer this mask",
    "backed": "the scores of its bag are behind other masks",
    "agreement": "the masks that score high disagree with it",
    "spread": "the masks of its bag are very different",
    "rival": "a very different mask scores nearly as high",
    "alike": "few masks of its bag look like it",
    "complete": "the class is seen beyond the mask",
}
SAME, OTHER = 0.8, 0.5  # IoU from which masks are alike; below which they are very different
CONTAINS, SEEN = 0.9, 0.8  # share of the mask that a larger one covers; of its class score
MOST = 20.0  # of `alike`: bags of tags are of any size


@dataclass(frozen=True, slots=True, eq=False)
class Bag:
    """The proposals of a bag with their scores for one class, those that are empty apart.

    Attributes
    ----------
    rles, ids : (n,) masks and proposal_id. areas : (n,) px^2. bag_score : 0 to 1.
    weights : (n,) what the choice is made by, from 0.
    predicted_iou, stability, score_cls, score_ins : (n,), NaN where the method has none.
    """

    rles: Sequence[Rle]
    ids: np.ndarray
    areas: np.ndarray
    bag_score: float
    weights: np.ndarray
    predicted_iou: np.ndarray
    stability: np.ndarray
    score_cls: np.ndarray
    score_ins: np.ndarray

    @classmethod
    def of(
        cls, pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], height: int, width: int
    ) -> Self:
        """From rows of `proposals` and `selections`, pair by pair; at least one."""
        rles = [rle_of(proposal["rle"], height, width) for proposal, _ in pairs]
        of_scores = {name: _floats(row[name] for _, row in pairs) for name in _SCORED}
        return cls(
            rles=rles,
            ids=np.array([proposal["proposal_id"] for proposal, _ in pairs]),
            areas=rle_areas(rles).astype(float),
            bag_score=pairs[0][1]["bag_score"],
            weights=np.maximum(of_scores["score"], 0.0),
            predicted_iou=_floats(proposal["predicted_iou"] for proposal, _ in pairs),
            stability=_floats(proposal["stability"] for proposal, _ in pairs),
            score_cls=of_scores["score_cls"],
            score_ins=of_scores["score_ins"],
        )


_SCORED = ("score", "score_cls", "score_ins")


def _floats(values: Any) -> np.ndarray:
    """(n,) float64, NaN for None."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def bag_evidence(rle: Rle, bag: Bag, proposal_id: int | None) -> np.ndarray:
    """What a bag says of a mask that was made from it.

    Parameters
    ----------
    rle : the mask. proposal_id : of the proposal that it started from; None, or where that is
        empty: the one that is most alike stands for it.

    Returns
    -------
    (e,) float64, as BAG_EVIDENCE; all NaN for an empty mask.
    """
    area = float(rle_areas([rle])[0])
    if not area:
        return np.full(len(BAG_EVIDENCE), np.nan)
    iou, covered = rle_iou([rle], bag.rles)[0], rle_cover([rle], bag.rles)[0]
    own = _place(bag, iou, proposal_id)
    found = {
        "predicted_iou": bag.predicted_iou[own],
        "stability": bag.stability[own],
        "bag_score": bag.bag_score,
        "score_cls": bag.score_cls[own],
        "score_ins": bag.score_ins[own],
        **_weighed(bag.weights, iou),
        "spread": float(iou.mean()),
        "alike": min(float((iou >= SAME).sum()), MOST),
        "complete": _complete(bag, own, area, covered),
    }
    return np.array([found[name] for name in BAG_EVIDENCE])


def _place(bag: Bag, iou: np.ndarray, proposal_id: int | None) -> int:
    places = [] if proposal_id is None else np.flatnonzero(bag.ids == proposal_id).tolist()
    return int(places[0]) if places else int(iou.argmax())


def _weighed(weights: np.ndarray, iou: np.ndarray) -> dict[str, float]:
    """How the scores of a bag are shared out between this mask and others; NaN without scores."""
    total = weights.sum()
    if not total > 0:
        return dict.fromkeys(("backed", "agreement", "rival"), np.nan)
    others = weights[iou < OTHER]
    return {
        "backed": float(weights[iou >= OTHER].sum() / total),
        "agreement": float((weights * iou).sum() / total),
        "rival": float(others.max(initial=0.0) / weights.max()),
    }


def _complete(bag: Bag, own: int, area: float, covered: np.ndarray) -> float:
    """Area as a share of the largest mask that holds this one and shows the class nearly as well.

    SAPNet's "local" errors are parts of objects: the object is often in the bag too, and the
    network sees the class there as well.
    """
    seen = bag.score_cls if np.isfinite(bag.score_cls[own]) else bag.weights
    larger = bag.areas[(covered >= CONTAINS) & (seen >= SEEN * seen[own])]
    return area / max(float(larger.max(initial=0.0)), area)
