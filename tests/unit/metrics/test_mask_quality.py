"""Mask statistics against a slow loop over pixels, and the two errors by hand."""

import numpy as np
import pytest

from stages.geometry.masks import masks_to_rles, rle_boxes
from stages.metrics.mask_quality import STATISTICS, mask_statistics

BY_PIXELS = ("mask_iou", "mask_iou_50", "mask_iou_75", "group", "local")  # of STATISTICS
LIMITS = {"group_cover": 0.5, "local_cover": 0.5, "local_inside": 0.6}


def random_masks(seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    masks = np.zeros((count, 20, 24), dtype=np.uint8)
    for mask in masks:
        y, x = rng.integers(0, 12, 2)
        height, width = rng.integers(3, 12, 2)
        mask[y : y + height, x : x + width] = (
            rng.random(mask[y : y + height, x : x + width].shape) < 0.8
        )
    return masks


def slow(mask: np.ndarray, truth: np.ndarray, others: np.ndarray) -> list[float]:
    both, either = (mask & truth).sum(), (mask | truth).sum()
    fit = both / either
    group = any((mask & other).sum() / other.sum() >= 0.5 for other in others)
    local = both / truth.sum() < 0.5 and both / mask.sum() > 0.6
    return [fit, fit >= 0.5, fit >= 0.75, group, local]


def statistics(masks: np.ndarray, truth: np.ndarray, others: np.ndarray) -> np.ndarray:
    rles, goal = masks_to_rles(masks), masks_to_rles(truth[None])
    boxes, goal_box = rle_boxes(rles), rle_boxes(goal)[0]
    return mask_statistics(rles, boxes, goal[0], goal_box, masks_to_rles(others), **LIMITS)


def test_no_masks_give_no_rows() -> None:
    truth = random_masks(0, 1)
    assert statistics(truth[:0], truth[0], truth[:0]).shape == (0, len(STATISTICS))


@pytest.mark.parametrize("seed", range(20))
def test_statistics_equal_a_loop_over_pixels(seed: int) -> None:
    masks = random_masks(seed, 9)
    seen = statistics(masks[:5], masks[5], masks[6:])
    wanted = [slow(mask, masks[5], masks[6:]) for mask in masks[:5]]
    np.testing.assert_allclose(seen[:, [STATISTICS.index(name) for name in BY_PIXELS]], wanted)


def canvas(*spans: tuple[int, int]) -> np.ndarray:
    mask = np.zeros((20, 24), dtype=np.uint8)
    for start, end in spans:
        mask[5:15, start:end] = 1
    return mask


@pytest.mark.parametrize(
    ("name", "mask", "group", "local"),
    [
        ("empty", canvas(), 0, 0),
        ("exact", canvas((0, 10)), 0, 0),
        ("both objects", canvas((0, 20)), 1, 0),
        ("half of the other", canvas((0, 15)), 1, 0),
        ("less than half of the other", canvas((0, 14)), 0, 0),
        ("a part", canvas((2, 5)), 0, 1),
        ("half of it is no part", canvas((0, 5)), 0, 0),
        ("a part that leaks too much", canvas((8, 11), (20, 24)), 0, 0),
        ("a part and the other object", canvas((6, 20)), 1, 0),
    ],
)
def test_group_and_local_errors(name: str, mask: np.ndarray, group: int, local: int) -> None:
    row = statistics(mask[None], canvas((0, 10)), canvas((10, 20))[None])[0]
    assert row[STATISTICS.index("group")] == group, name
    assert row[STATISTICS.index("local")] == local, name


def test_an_empty_mask_has_iou_0() -> None:
    row = statistics(canvas()[None], canvas((0, 10)), canvas()[None][:0])[0]
    assert [row[STATISTICS.index(name)] for name in ("box_iou", *BY_PIXELS)] == [0] * 6
