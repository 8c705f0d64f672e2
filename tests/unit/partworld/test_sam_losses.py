import pytest
import torch
from torch import Tensor
from torch.nn import functional

from stages.partworld import sam_losses


def _slow_pair_loss(logits: Tensor, target: Tensor) -> float:
    bce = functional.binary_cross_entropy_with_logits(logits, target)
    chance = logits.sigmoid()
    dice = 1 - (2 * (chance * target).sum() + 1) / (chance.sum() + target.sum() + 1)
    return float(4 * bce + dice)


@pytest.fixture
def example() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 50, generator=generator)
    targets = (torch.rand(2, 5, 50, generator=generator) > 0.5).float()
    return logits, targets


def test_pair_losses_equal_a_slow_loop(example: tuple[Tensor, Tensor]) -> None:
    logits, targets = example
    pairs = sam_losses.pair_losses(logits, targets)
    assert pairs.shape == (2, 3, 5)
    for n in range(2):
        for slot in range(3):
            for level in range(5):
                expected = _slow_pair_loss(logits[n, slot], targets[n, level])
                assert float(pairs[n, slot, level]) == pytest.approx(expected, rel=1e-5)


def test_pair_ious_by_hand() -> None:
    logits = torch.tensor([[[1.0, 1.0, -1.0, -1.0], [-1.0, -1.0, -1.0, -1.0]]])
    targets = torch.tensor([[[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]])
    ious = sam_losses.pair_ious(logits, targets)
    assert ious.tolist() == [[[0.5, 0.0], [0.0, 0.0]]]


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        ([True, False, False], [(3 + 6 + 9) / 3, None, None]),
        ([True, False, True], [0.95 * 3 + 0.05 * 4.5, None, 1.0]),
        ([True, True, True], [0.95 * 3 + 0.05 * 4.5, 0.95 * 2 + 0.05 * 4.5, 1.0]),
    ],
    ids=["one level", "two levels", "three levels"],
)
def test_the_largest_level_is_the_last_slots(
    kept: list[bool], expected: list[float | None]
) -> None:
    pairs = torch.tensor([[[3.0, 7, 8], [6.0, 2, 4], [9.0, 5, 1]]])
    got = sam_losses.assigned_losses(pairs, torch.tensor([kept]))[0].tolist()
    for value, wanted in zip(got, expected, strict=True):
        assert wanted is None or value == pytest.approx(wanted)


def test_ambiguous_loss_is_small_when_each_level_has_a_slot_of_its_own() -> None:
    levels = torch.tensor([[[1.0, 0, 0, 0], [1.0, 1, 0, 0], [1.0, 1, 1, 0]]])
    logits, weights = levels * 40 - 20, torch.ones(1, 3)
    good = sam_losses.ambiguous_loss(logits, torch.ones(1, 3), levels, weights)
    bad = sam_losses.ambiguous_loss(-logits, torch.ones(1, 3), levels, weights)
    assert float(good) < 0.1 * float(bad)


def test_a_level_of_weight_zero_does_not_count(example: tuple[Tensor, Tensor]) -> None:
    logits, targets = example
    weights = sam_losses.level_weights(torch.tensor([[False] * 4 + [True]] * 2))
    quality = torch.zeros(2, 3)
    first = sam_losses.ambiguous_loss(logits, quality, targets, weights)
    targets[:, 4] = 1 - targets[:, 4]
    assert float(sam_losses.ambiguous_loss(logits, quality, targets, weights)) == float(first)


def test_certain_loss_falls_with_a_better_single_mask(example: tuple[Tensor, Tensor]) -> None:
    logits, targets = example
    target = targets[:, 0]
    four = torch.cat([logits[:, :1], logits], dim=1)
    worse = sam_losses.certain_loss(four, torch.zeros(2, 4), target)
    four[:, 0] = target * 20 - 10
    assert float(sam_losses.certain_loss(four, torch.zeros(2, 4), target)) < float(worse)


def test_dense_loss_counts_offsets_on_the_foreground_only() -> None:
    truth = torch.zeros(1, 8, 2, 2)
    truth[:, 1, 0, 0] = 1
    answer = torch.where(truth > 0, 20.0, -20.0)
    answer[:, 4:] = 0
    assert float(sam_losses.dense_loss(answer, truth)) == pytest.approx(0, abs=1e-6)
    answer[:, 4:, 1, 1] = 5  # background
    assert float(sam_losses.dense_loss(answer, truth)) == pytest.approx(0, abs=1e-6)
    answer[:, 4:, 0, 0] = 0.5
    assert float(sam_losses.dense_loss(answer, truth)) == pytest.approx(5, abs=1e-5)
