import numpy as np
import pytest

from stages.mil.vote import vote_weights, voted_mask


@pytest.mark.parametrize(
    ("select", "refine", "quality", "exponent", "wanted"),
    [
        ([0.4], [0.1], [0.5], 1, [1.0]),
        ([0.4, 0.1], [0.1, 0.4], [0.5, 0.5], 3, [0.5, 0.5]),  # both means are 0.2
        ([0.4, 0.4], [0.1, 0.1], [0.5, 1.0], 1, [1 / 3, 2 / 3]),
        ([0.4, 0.4], [0.1, 0.1], [0.5, 1.0], 2, [0.2, 0.8]),
        ([0.4, -1.0], [0.1, -1.0], [0.5, 0.9], 0, [1.0, 0.0]),  # not valid: no vote
        ([0.0, 0.0], [0.1, 0.2], [0.5, 0.9], 1, [0.5, 0.5]),  # nobody is likely: all alike
        ([0.4, 0.4], [0.1, 0.1], [0.5, -0.2], 1, [1.0, 0.0]),  # SAM may predict below 0
    ],
)
def test_weights(
    select: list[float],
    refine: list[float],
    quality: list[float],
    exponent: float,
    wanted: list[float],
) -> None:
    weights = vote_weights(np.array(select), np.array(refine), np.array(quality), exponent=exponent)
    np.testing.assert_allclose(weights, wanted, rtol=1e-6)


MASKS = np.array([[[1, 1, 0, 0]], [[1, 0, 1, 0]], [[1, 0, 0, 0]]], dtype=np.uint8)  # (3, 1, 4)


@pytest.mark.parametrize(
    ("weights", "threshold", "wanted"),
    [
        ([1.0, 0.0, 0.0], 0.35, [1, 1, 0, 0]),
        ([0.4, 0.4, 0.2], 0.4, [1, 1, 1, 0]),  # at the threshold counts
        ([0.4, 0.4, 0.2], 0.5, [1, 0, 0, 0]),
        ([0.5, 0.5, 0.0], 1.0, [1, 0, 0, 0]),
    ],
)
def test_a_pixel_needs_its_share(weights: list[float], threshold: float, wanted: list[int]) -> None:
    seen = voted_mask(MASKS, np.array(weights), threshold=threshold)
    assert seen.tolist() == [[bool(value) for value in wanted]]


def test_where_no_pixel_has_the_share_the_most_voted_are_taken() -> None:
    masks = np.eye(4, dtype=np.uint8)[:, None]  # (4, 1, 4): each for a pixel of its own
    seen = voted_mask(masks, np.array([0.3, 0.3, 0.2, 0.2]), threshold=0.9)
    assert seen.tolist() == [[True, True, False, False]]


def test_a_vote_may_be_better_than_every_voter() -> None:
    truth = np.zeros((1, 30), dtype=bool)
    truth[0, 5:25] = True
    masks = np.stack([np.roll(truth, 3), np.roll(truth, -3), np.roll(truth, 1)])
    masks[2, 0, 10:12] = False

    def iou(mask: np.ndarray) -> float:
        return float((mask & truth).sum() / (mask | truth).sum())

    seen = voted_mask(masks, np.full(3, 1 / 3), threshold=0.5)
    assert iou(seen) > max(iou(mask) for mask in masks)
