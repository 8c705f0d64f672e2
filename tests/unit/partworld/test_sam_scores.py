import numpy as np
import pytest

from stages.partworld import sam_scores
from stages.partworld.sam_scores import Trial
from stages.partworld.scenes import Instance


def _disc(side: int, low: int, high: int) -> np.ndarray:
    mask = np.zeros((side, side), bool)
    mask[low:high, low:high] = True
    return mask


def test_mask_ious_of_none_empty_half_and_same() -> None:
    truth = _disc(8, 0, 4)
    half = truth.copy()
    half[2:] = False
    masks = np.stack([np.zeros_like(truth), half, truth])
    assert sam_scores.mask_ious(masks, truth).tolist() == [0.0, 0.5, 1.0]
    assert sam_scores.mask_ious(masks[:0], truth).shape == (0,)


def test_widened_box_grows_about_its_centre_and_stops_at_the_image() -> None:
    assert sam_scores.widened_box(_disc(20, 5, 15), 1.2).tolist() == [4, 4, 16, 16]
    assert sam_scores.widened_box(_disc(20, 0, 10), 2.0).tolist() == [0, 0, 15, 15]
    assert sam_scores.widened_box(np.zeros((4, 6), bool), 1.3).tolist() == [0, 0, 6, 4]


def _trial(ious: list[float], quality: list[float], areas: list[int]) -> Trial:
    instance = Instance(1, 1, 1, 400, 400, False, "part")
    rest = [0.0] * 9
    return Trial(
        instance,
        np.array(ious + rest),
        np.array(quality + rest),
        np.array(areas + [0] * 9),
        np.array([True] + [False] * 11),
    )


def test_summarise_by_hand() -> None:
    trials = [
        _trial([0.2, 0.6, 0.4], [0.9, 0.5, 0.5], [10, 20, 30]),
        _trial([0.8, 0.1, 0.3], [0.1, 0.2, 0.9], [10, 20, 30]),
    ]
    got = sam_scores.summarise(trials)
    expected = {
        "best_of_3": 0.7,
        "top1_of_3": 0.25,
        "random_of_3": 0.4,
        "slot_1": 0.5,
        "slot_2": 0.35,
        "slot_3": 0.35,
        "largest_of_3": 0.35,
        "median_area_of_3": 0.35,
        "best_slot_1": 0.5,
        "best_slot_2": 0.5,
        "top1_local": 0.5,
    }
    assert {name: got[name] for name in expected} == pytest.approx(expected)


def test_breakdown_groups_by_class_and_difficulty() -> None:
    groups = sam_scores.breakdown([_trial([0.2, 0.6, 0.4], [0.9, 0.5, 0.5], [1, 2, 3])])
    assert list(groups) == ["person", "part"]
    assert groups["person"]["objects"] == 1
