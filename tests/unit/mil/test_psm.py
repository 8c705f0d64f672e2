"""PSM: two-branch scores against obvious loops; padding and empty bags change nothing."""

import math

import pytest
import torch

from stages.mil import psm

GENERATOR = torch.Generator().manual_seed(0)


def logits(bags: int, proposals: int, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    cls, ins = torch.randn(2, bags, proposals, classes, generator=GENERATOR, dtype=torch.float64)
    return cls * 2, ins * 2


def all_valid(cls: torch.Tensor) -> torch.Tensor:
    return torch.ones(cls.shape[:2], dtype=torch.bool)


def test_scores_equal_the_loop() -> None:
    cls, ins = logits(3, 4, 5)
    valid = all_valid(cls)
    valid[0, 1] = valid[2, 3] = False
    seen = psm.proposal_scores(cls, ins, valid)
    for i in range(3):
        for k in range(5):
            weights = [math.exp(ins[i, m, k]) if valid[i, m] else 0.0 for m in range(4)]
            for m in range(4):
                whole = sum(math.exp(c) for c in cls[i, m].tolist())
                wanted = math.exp(cls[i, m, k]) / whole * weights[m] / sum(weights)
                assert seen[i, m, k].item() == pytest.approx(wanted)


def test_bag_scores_are_probabilities() -> None:
    cls, ins = logits(50, 7, 4)
    bags = psm.bag_scores(psm.proposal_scores(cls * 20, ins * 20, all_valid(cls)))
    assert bags.min() >= 0
    assert bags.max() <= 1 + 1e-12


def test_padding_changes_nothing() -> None:
    cls, ins = logits(2, 3, 4)
    alone = psm.proposal_scores(cls, ins, all_valid(cls))
    padded = [torch.cat([value, torch.full((2, 2, 4), 9.0)], dim=1) for value in (cls, ins)]
    valid = torch.tensor([[True] * 3 + [False] * 2] * 2)
    seen = psm.proposal_scores(*padded, valid)
    torch.testing.assert_close(seen[:, :3], alone)
    assert seen[:, 3:].abs().max() == 0


def test_a_bag_without_valid_proposals_scores_zero_and_has_clean_gradients() -> None:
    cls, ins = (value.requires_grad_() for value in logits(2, 3, 4))
    valid = torch.tensor([[True, True, False], [False, False, False]])
    bags = psm.bag_scores(psm.proposal_scores(cls, ins, valid))
    loss = psm.psm_loss(bags, torch.tensor([1, 2]), valid.any(dim=1))
    loss.backward()
    assert bags[1].abs().max() == 0
    assert torch.isfinite(cls.grad).all()
    assert torch.isfinite(ins.grad).all()
    assert cls.grad[1].abs().max() == 0


def test_loss_equals_the_loop_over_usable_objects() -> None:
    bags = torch.rand(4, 3, generator=GENERATOR, dtype=torch.float64)
    labels, usable = torch.tensor([0, 2, 1, 1]), torch.tensor([True, True, False, True])
    total = 0.0
    for i in (0, 1, 3):
        for k in range(3):
            p = bags[i, k].item()
            total -= math.log(p) if labels[i] == k else math.log(1 - p)
    assert psm.psm_loss(bags, labels, usable).item() == pytest.approx(total / 3)


def test_loss_without_usable_objects_is_zero_with_a_gradient() -> None:
    bags = torch.zeros(2, 3, requires_grad=True)
    loss = psm.psm_loss(bags, torch.tensor([0, 1]), torch.tensor([False, False]))
    loss.backward()
    assert loss.item() == 0


@pytest.mark.parametrize("score", [1.0000001, 1.0, 0.0])
def test_loss_is_cut_where_logarithms_are_infinite(score: float) -> None:
    bags = torch.tensor([[score, 1 - score]])
    loss = psm.psm_loss(bags, torch.tensor([1]), torch.tensor([True]))
    assert loss.item() == pytest.approx(200.0 if score >= 1 else 0.0)


def test_guidance_flips_a_near_tie() -> None:
    cls = torch.zeros(1, 2, 3)
    ins = torch.tensor([[[0.005, 0, 0], [0.0, 0, 0]]])
    valid, labels = all_valid(cls), torch.tensor([0])
    plain = psm.proposal_scores(cls, ins, valid)
    guided = psm.proposal_scores(cls, ins, valid, guidance=torch.tensor([[0.9897, 1.0]]))
    assert psm.psm_selection(plain, labels).tolist() == [0]
    assert psm.psm_selection(guided, labels).tolist() == [1]


def test_ties_go_to_the_first() -> None:
    scores = torch.full((1, 4, 2), 0.25)
    assert psm.psm_selection(scores, torch.tensor([1])).tolist() == [0]
