"""WSDDN: scores of images against a loop, empty images, and both readings of the loss."""

import math

import pytest
import torch

from stages.mil import wsddn


def logits(rows: int, classes: int, seed: int) -> torch.Tensor:
    return torch.randn(rows, classes, generator=torch.Generator().manual_seed(seed)).double()


COUNTS = [[0], [1], [4], [3, 0, 2], [1, 5]]


@pytest.mark.parametrize("counts", COUNTS, ids=str)
def test_scores_are_those_of_a_slow_loop(counts: list[int]) -> None:
    cls, ins = logits(sum(counts), 3, 1), logits(sum(counts), 3, 2)
    scores = wsddn.class_shares(cls) * wsddn.proposal_shares(ins, counts)
    phi = wsddn.image_scores(scores, counts)
    first = 0
    for image, count in enumerate(counts):
        for c in range(3):
            rows = range(first, first + count)
            below = sum(math.exp(ins[r, c]) for r in rows)
            wanted = 0.0
            for r in rows:
                of_class = math.exp(cls[r, c]) / sum(math.exp(cls[r, k]) for k in range(3))
                wanted += of_class * math.exp(ins[r, c]) / below
            assert phi[image, c].item() == pytest.approx(wanted)
        first += count


def test_each_image_and_class_shares_one_among_its_own_proposals() -> None:
    shares = wsddn.proposal_shares(logits(5, 4, 3), [2, 3])
    torch.testing.assert_close(shares[:2].sum(dim=0), torch.ones(4).double())
    torch.testing.assert_close(shares[2:].sum(dim=0), torch.ones(4).double())


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("extreme", [0.0, 1.0])
def test_extreme_scores_have_a_finite_loss_and_gradient(reduction: str, extreme: float) -> None:
    phi = torch.full((1, 2), extreme, requires_grad=True)
    loss = wsddn.mil_loss(phi, torch.tensor([[1, 0]]), reduction=reduction).sum()
    loss.backward()
    assert torch.isfinite(loss)
    assert phi.grad is not None
    assert torch.isfinite(phi.grad).all()


def test_a_score_beyond_one_by_rounding_is_cut() -> None:
    over = torch.tensor([[1.0000001]])
    assert wsddn.mil_loss(over, torch.ones(1, 1), reduction="sum").item() == 0.0


def test_another_reduction_is_refused() -> None:
    with pytest.raises(ValueError, match="'max', not sum or mean"):
        wsddn.mil_loss(torch.zeros(1, 1), torch.zeros(1, 1), reduction="max")
