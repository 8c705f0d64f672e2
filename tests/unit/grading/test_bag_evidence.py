"""What a bag says of a mask, by numbers counted by hand: bars of 10 rows, px by columns."""

from typing import Any

import numpy as np
import pytest

from stages.geometry.masks import Rle, masks_to_rles
from stages.grading.bag_evidence import BAG_EVIDENCE, Bag, bag_evidence

NAMES = tuple(BAG_EVIDENCE)


def bar(start: int, end: int) -> Rle:
    mask = np.zeros((1, 20, 100), dtype=np.uint8)
    mask[0, 5:15, start:end] = 1
    return masks_to_rles(mask)[0]


def bag_of(*bars: tuple[int, int, float], cls: bool = True) -> Bag:
    """Bars with the score of each; S_cls is a tenth more."""
    pairs = []
    for k, (start, end, score) in enumerate(bars):
        proposal = {
            "proposal_id": k,
            "rle": bar(start, end)["counts"],
            "predicted_iou": 0.5 + k / 10,
        }
        scores: dict[str, Any] = {"score": score, "bag_score": 0.75, "score_ins": 0.25}
        scores["score_cls"] = score + 0.1 if cls else None
        pairs.append(({**proposal, "stability": 0.875}, scores))
    return Bag.of(pairs, 20, 100)


def evidence(rle: Rle, bag: Bag, proposal_id: int | None = 0) -> dict[str, float]:
    return dict(zip(NAMES, bag_evidence(rle, bag, proposal_id).tolist(), strict=True))


def test_an_empty_mask_has_no_evidence() -> None:
    assert np.isnan(bag_evidence(bar(0, 0), bag_of((0, 10, 0.5)), 0)).all()


def test_a_bag_of_one_agrees_with_itself() -> None:
    found = evidence(bar(0, 10), bag_of((0, 10, 0.5)))
    assert found == {
        **{"predicted_iou": 0.5, "stability": 0.875, "bag_score": 0.75},
        **{"score_cls": 0.6, "score_ins": 0.25, "backed": 1.0, "agreement": 1.0},
        **{"spread": 1.0, "rival": 0.0, "alike": 1.0, "complete": 1.0},
    }


def test_scores_are_shared_out_among_masks_by_their_overlap() -> None:
    """IoU 1, 9/10, 1/4 and 0, by scores .4, .1, .3, .2."""
    bag = bag_of((0, 10, 0.4), (0, 9, 0.1), (0, 40, 0.3), (50, 60, 0.2))
    found = evidence(bar(0, 10), bag)
    assert found["backed"] == pytest.approx(0.5)
    assert found["agreement"] == pytest.approx(0.4 + 0.09 + 0.075)
    assert found["spread"] == pytest.approx((1 + 0.9 + 0.25) / 4)
    assert found["rival"] == pytest.approx(0.75)
    assert found["alike"] == 2


def test_a_mask_is_incomplete_where_a_larger_one_shows_the_class_as_well() -> None:
    """S_cls .5 and .45 (at least .8 of it) and, larger yet, .3: a quarter of what is seen."""
    bag = bag_of((0, 10, 0.4), (0, 40, 0.35), (0, 80, 0.2))
    assert evidence(bar(0, 10), bag)["complete"] == pytest.approx(0.25)
    assert evidence(bar(0, 40), bag, 1)["complete"] == 1.0


def test_without_class_scores_the_choice_stands_for_them() -> None:
    found = evidence(bar(0, 10), bag_of((0, 10, 0.4), (0, 40, 0.35), cls=False))
    assert np.isnan(found["score_cls"])
    assert found["complete"] == pytest.approx(0.25)


def test_without_any_score_nothing_is_weighed() -> None:
    found = evidence(bar(0, 10), bag_of((0, 10, 0.0), (0, 40, -1.0)))
    assert np.isnan([found[name] for name in ("backed", "agreement", "rival")]).all()
    assert found["spread"] == pytest.approx(0.625)


@pytest.mark.parametrize("proposal_id", [None, 7], ids=["none", "an empty one"])
def test_the_most_alike_stands_for_a_proposal_that_is_not_there(proposal_id: int | None) -> None:
    bag = bag_of((50, 60, 0.4), (0, 9, 0.1))
    assert evidence(bar(0, 10), bag, proposal_id)["predicted_iou"] == 0.6
