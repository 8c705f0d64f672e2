"""Cleaning of stray components."""

import numpy as np
import pytest

from benchmarks.bench_propose import by_statistics
from stages.geometry.soft_masks import soft_in
from stages.segmenters.answers import answers_of, without_stray_components
from stages.segmenters.segmenter import Answered


def blobs() -> np.ndarray:
    mask = np.zeros((20, 30), dtype=bool)
    mask[2:8, 2:8] = True  # 36 px
    mask[2:8, 12:15] = True  # 18 px
    mask[15, 25] = True  # 1 px
    return mask


@pytest.mark.parametrize(
    ("point", "share", "kept"),
    [
        ((4, 4), 0.0, 55),
        ((4, 4), 0.25, 54),
        ((4, 4), 0.6, 36),
        ((13, 4), 0.6, 54),  # measured by the component under the point, larger ones stay
        ((29, 19), 0.6, 36),  # beside the mask: measured by the largest
        ((30, 20), 0.6, 36),  # a point on the far border
    ],
)
def test_components_below_the_share_go(point: tuple[int, int], share: float, kept: int) -> None:
    assert without_stray_components(blobs(), np.array(point), share).sum() == kept


@pytest.mark.parametrize("density", [0.002, 0.2, 0.5, 0.999])
def test_cleaning_inside_the_box_of_a_mask_is_cleaning_of_the_image(density: float) -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        height, width = rng.integers(1, 60, 2)
        mask = np.zeros((70, 70), bool)
        mask[5 : 5 + height, 8 : 8 + width] = rng.random((height, width)) < density
        point, share = rng.uniform(0, 70, 2), rng.choice([0.05, 0.25, 1.0])
        expected = by_statistics(mask, point, share)
        np.testing.assert_array_equal(without_stray_components(mask, point, share), expected)


def test_an_empty_mask_stays_empty() -> None:
    assert not without_stray_components(np.zeros((3, 3), bool), np.array([1, 1]), 0.5).any()


def test_answers_are_cleaned_measured_and_numbered_by_slot() -> None:
    masks = np.stack([blobs(), np.zeros((20, 30), bool)])
    scores, stability = np.float32([0.25, 0.75]), np.float32([1.0, 0.0])
    first, second = answers_of(
        Answered(None, masks, scores, stability), np.array([4, 4]), share=0.6
    )
    assert (first.slot, first.area, first.predicted_iou, first.stability) == (0, 36, 0.25, 1.0)
    assert (second.slot, second.area, second.predicted_iou) == (1, 0, 0.75)
    assert first.mask().sum() == 36
    assert not second.mask().any()


def test_probabilities_are_kept_within_the_box_of_a_mask() -> None:
    masks = np.stack([blobs(), np.zeros((20, 30), bool)])
    chances = np.random.default_rng(0).integers(0, 256, masks.shape) / np.float32(255)
    scores = np.float32([0.25, 0.75])
    given = Answered(None, masks, scores, scores, chances.astype(np.float32))
    first, second = answers_of(given, np.array([4, 4]), share=0.6)
    assert first.soft is not None
    whole = slice(0, 20), slice(0, 30)
    box = np.array([2.0, 2, 8, 8])  # of the component that stays
    seen = soft_in(first.soft, box, whole, 20, 30)
    np.testing.assert_allclose(seen[2:8, 2:8], chances[0, 2:8, 2:8], atol=1e-6)
    assert second.soft is None  # of an empty mask
    (hard,) = answers_of(Answered(None, masks[:1], scores, scores), np.array([4, 4]), share=0)
    assert hard.soft is None
