"""MPS: Dice against an obvious loop, and the mean over runners-up."""

import pytest
import torch

from stages.mil import mps

GENERATOR = torch.Generator().manual_seed(0)


def looped_dice(prob: list[float], target: list[float]) -> float:
    both = sum(p * g for p, g in zip(prob, target, strict=True))
    squares = sum(p * p for p in prob) + sum(g * g for g in target)
    return 1 - 2 * both / (squares + 0.002)


@pytest.mark.parametrize("shape", [(0, 3), (1, 5), (4, 3, 6)])
def test_dice_equals_the_loop(shape: tuple[int, ...]) -> None:
    prob, target = torch.rand(2, *shape, generator=GENERATOR, dtype=torch.float64)
    target = (target > 0.5).double()
    rows = zip(prob.flatten(1).tolist(), target.flatten(1).tolist(), strict=True)
    assert mps.dice_loss(prob, target).tolist() == pytest.approx([looped_dice(*r) for r in rows])


def test_dice_of_empty_masks_is_one_and_of_equal_masks_nearly_zero() -> None:
    masks = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    assert mps.dice_loss(masks, masks).tolist() == pytest.approx([1.0, 0.0], abs=1e-3)


def test_dice_has_a_finite_gradient_at_nothing() -> None:
    prob = torch.zeros(1, 4, requires_grad=True)
    mps.dice_loss(prob, torch.zeros(1, 4)).sum().backward()
    assert torch.isfinite(prob.grad).all()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_runners_up_count_by_their_mean(count: int) -> None:
    first, others = torch.rand(5, generator=GENERATOR), torch.rand(5, count, generator=GENERATOR)
    seen = mps.mask_loss(first, others, gamma=0.5)
    for i in range(5):
        mean = sum(others[i].tolist()) / count if count else 0.0
        assert seen[i].item() == pytest.approx(first[i].item() + 0.5 * mean)
