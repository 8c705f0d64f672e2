"""PRM: focal losses against obvious loops, the way from boxes to masks, the runner-up masks."""

import math

import pytest
import torch

from stages.mil import prm

GENERATOR = torch.Generator().manual_seed(0)


def looped_focal(p: list[float], q: list[float]) -> float:
    total = 0.0
    for a, b in zip(p, q, strict=True):
        cross = -b * math.log(a + 1e-6) - (1 - b) * math.log(1 - a + 1e-6)
        total += (a - b) ** 2 * cross
    return total


def test_focal_equals_the_loop() -> None:
    p, q = torch.rand(2, 6, 4, generator=GENERATOR, dtype=torch.float64)
    wanted = [looped_focal(a, b) for a, b in zip(p.tolist(), q.tolist(), strict=True)]
    assert prm.focal(p, q).tolist() == pytest.approx(wanted)


def test_focal_is_finite_with_gradients_at_both_ends() -> None:
    p = torch.tensor([[0.0, 1.0, 0.0, 1.0]], requires_grad=True)
    loss = prm.focal(p, torch.tensor([[0.0, 1.0, 1.0, 0.0]])).sum()
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(p.grad).all()


def test_positive_loss_weighs_by_bag_score() -> None:
    bags = torch.rand(3, 4, generator=GENERATOR, dtype=torch.float64)
    labels, weights = torch.tensor([2, 0, 3]), torch.tensor([0.9, 0.1, 0.0], dtype=torch.float64)
    total = 0.0
    for i in range(3):
        target = [float(k == labels[i]) for k in range(4)]
        total += weights[i].item() * looped_focal(bags[i].tolist(), target)
    assert prm.positive_loss(bags, labels, weights).item() == pytest.approx(total / 3)


@pytest.mark.parametrize(("norm", "divisor"), [("kept", 2), ("objects", 5)])
def test_negative_loss_equals_the_loop(norm: str, divisor: int) -> None:
    logits = torch.randn(3, 4, generator=GENERATOR, dtype=torch.float64)
    keep = torch.tensor([True, False, True])
    total = sum(looped_focal(logits[i].sigmoid().tolist(), [0.0] * 4) for i in (0, 2))
    seen = prm.negative_loss(logits, keep, beta=0.5, objects=5, norm=norm)
    assert seen.item() == pytest.approx(0.5 * total / divisor)


def test_no_negatives_cost_nothing() -> None:
    nothing = torch.zeros(0, 4)
    seen = prm.negative_loss(nothing, torch.zeros(0), beta=0.5, objects=2, norm="kept")
    assert seen.item() == 0


def test_unknown_modes_are_refused() -> None:
    logits, valid = torch.zeros(1, 2, 3), torch.ones(1, 2, dtype=torch.bool)
    with pytest.raises(ValueError, match="softmax or sigmoid"):
        prm.prm_scores(logits, logits, valid, mode="tanh")
    with pytest.raises(ValueError, match="paper or code"):
        prm.runners_up([0, 1], 0, 3, mode="best")
    with pytest.raises(ValueError, match="kept or objects"):
        prm.negative_loss(logits[0], valid[0], beta=1.0, objects=1, norm="images")


@pytest.mark.parametrize("mode", ["softmax", "sigmoid"])
def test_prm_scores_equal_the_loop(mode: str) -> None:
    cls, ins = torch.randn(2, 2, 3, 4, generator=GENERATOR, dtype=torch.float64)
    valid = torch.tensor([[True, True, True], [True, False, True]])
    seen = prm.prm_scores(cls, ins, valid, mode=mode)
    for i in range(2):
        for m in range(3):
            for k in range(4):
                c = cls[i, m]
                own = 1 / (1 + math.exp(-c[k])) if mode == "sigmoid" else c.softmax(0)[k].item()
                whole = sum(math.exp(ins[i, n, k]) for n in range(3) if valid[i, n])
                part = math.exp(ins[i, m, k]) / whole if valid[i, m] else 0.0
                assert seen[i, m, k].item() == pytest.approx(own * part)


def test_closest_proposal_takes_the_first_of_equals_and_no_empty_mask() -> None:
    bag = torch.tensor([[[0.0, 0, 9, 9], [0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 8, 8]]])
    box = torch.tensor([[0.0, 0, 10, 10]])
    every = torch.ones(1, 4, dtype=torch.bool)
    assert prm.closest_proposal(box, bag, every).tolist() == [1]
    assert prm.closest_proposal(box, bag, torch.tensor([[1, 0, 0, 1]]).bool()).tolist() == [0]


def test_closest_proposal_of_a_distant_box_is_the_first_valid_one() -> None:
    bag = torch.tensor([[[0.0, 0, 9, 9], [0, 0, 10, 10]]])
    far = torch.tensor([[50.0, 50, 60, 60]])
    assert prm.closest_proposal(far, bag, torch.tensor([[False, True]])).tolist() == [1]


def test_closest_proposal_of_no_object() -> None:
    nothing = torch.zeros(0, 3, dtype=torch.bool)
    assert prm.closest_proposal(torch.zeros(0, 4), torch.zeros(0, 3, 4), nothing).shape == (0,)


@pytest.mark.parametrize(
    ("ranking", "chosen", "wanted"),
    [
        ([], 0, []),
        ([0], 0, []),
        ([1, 0], 0, [1]),
        ([1, 0, 2], 0, [1, 2]),
        ([1, 0, 2, 3], 0, [1, 2, 3]),
        ([4, 0, 3, 5, 1, 2], 4, [0, 5, 2]),
    ],
    ids=["empty", "alone", "one", "two", "three", "six"],
)
def test_runners_up_of_bags_of_any_length(
    ranking: list[int], chosen: int, wanted: list[int]
) -> None:
    assert prm.runners_up(ranking, chosen, 3) == wanted
