"""Weights of choices: that they sum to one, and whose they are."""

import numpy as np
import pytest

from stages.metrics.choices import ScoredBag, choice_weights
from stages.metrics.mask_quality import MASK_IOU, STATISTICS


def bag(area: list[float]) -> ScoredBag:
    size = len(area)
    return ScoredBag(
        rles=[],
        boxes=np.zeros((size, 4)),
        area=np.array(area),
        proposal_id=np.arange(size) * 10,
        slot=np.zeros(size, dtype=np.int64),
        is_own=np.zeros(size, dtype=bool),
        predicted_iou=np.full(size, 0.5),
    )


@pytest.mark.parametrize("size", [1, 2, 7])
def test_weights_sum_to_one_and_random_is_the_mean(size: int) -> None:
    values = np.random.default_rng(size).random((size, len(STATISTICS)))
    masks = bag(list(range(size)))
    weights = choice_weights(masks, values, {"psm": 10 * (size // 2)})
    assert set(weights) == {"random", "largest", "median_area", "psm", "best_in_bag"}
    assert all(weight.sum() == pytest.approx(1) for weight in weights.values())
    np.testing.assert_allclose(weights["random"] @ values, values.mean(axis=0))
    assert weights["largest"][size - 1] == 1
    assert weights["psm"][size // 2] == 1
    assert weights["best_in_bag"] @ values[:, MASK_IOU] == values[:, MASK_IOU].max()
