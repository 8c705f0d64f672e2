"""The loss on pseudo masks against tests/golden/boxes.json and a loop."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from stages.box_supervision.pseudo_mask_loss import pseudo_mask_loss, pseudo_mask_parts

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "boxes.json").read_text())
CASE = GOLDEN["pseudo_mask_loss"]


def slow(logits: np.ndarray, wanted: np.ndarray, weights: np.ndarray) -> float:
    """Each positive by itself, pixel after pixel."""
    losses = []
    for values, goal, weight in zip(logits, wanted, weights, strict=True):
        entropy, shared, squares = 0.0, 0.0, 0.0
        for at in np.ndindex(values.shape):
            p, w = 1 / (1 + math.exp(-values[at])), weight[at]
            entropy += w * -math.log(p if goal[at] else 1 - p)
            shared += w * p * w * goal[at]
            squares += (w * p) ** 2 + (w * goal[at]) ** 2
        if weight.sum():
            losses.append(entropy / weight.sum() + 1 - 2 * shared / (squares + 1e-5))
        else:
            losses.append(0.0)
    return sum(losses) / len(losses)


def test_no_positive_loses_nothing() -> None:
    none = torch.zeros(0, 2, 2)
    assert pseudo_mask_loss(none, none, none).item() == 0


def test_golden() -> None:
    chances = torch.tensor(CASE["mask_probs"], dtype=torch.float64)[None, None]
    wanted, weights = (torch.tensor(CASE[k]).double()[None, None] for k in ("target", "weight"))
    entropy, dice = pseudo_mask_parts(chances.logit(), wanted, weights)
    assert entropy.item() == pytest.approx(CASE["bce_weighted_mean"], abs=1e-6)
    assert dice.item() == pytest.approx(CASE["dice_weighted"], abs=1e-6)


def test_the_loss_is_not_the_released_one() -> None:
    """The authors' focal term takes the sigmoid of probabilities once more: their number."""
    whole = {"focal_on_logits": 0.0, "released_focal_on_probabilities": 0.0}
    for p, goal, weight in zip(CASE["mask_probs"], CASE["target"], CASE["weight"], strict=True):
        share, twice = (0.25, 1 / (1 + math.exp(-p))) if goal else (0.75, 1 / (1 + math.exp(p)))
        right = p if goal else 1 - p
        whole["focal_on_logits"] += weight * share * (1 - right) ** 2 * -math.log(right)
        whole["released_focal_on_probabilities"] += (
            weight * share * (1 - right) ** 2 * -math.log(twice)
        )
    for name, total in whole.items():
        assert total / (sum(CASE["weight"]) + 1) == pytest.approx(CASE[name], abs=1e-6)
    ours = CASE["bce_weighted_mean"] + CASE["dice_weighted"]
    maps = [torch.tensor(CASE[k]).double()[None, None] for k in ("mask_probs", "target", "weight")]
    seen = pseudo_mask_loss(maps[0].logit(), *maps[1:])
    assert seen.item() == pytest.approx(ours, abs=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_loss_is_that_of_a_loop(share: float) -> None:
    rng = np.random.default_rng(1)
    logits, weights = rng.normal(0, 2, (3, 4, 5)), (rng.random((3, 4, 5)) < share).astype(float)
    wanted = (rng.random((3, 4, 5)) < 0.5).astype(float)
    seen = pseudo_mask_loss(*(torch.from_numpy(each) for each in (logits, wanted, weights)))
    assert seen.item() == pytest.approx(slow(logits, wanted, weights), abs=1e-9)


def test_pixels_of_weight_0_get_no_gradient() -> None:
    logits = torch.randn(2, 3, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    weights = torch.ones(2, 3, 3)
    weights[0, 0], weights[1] = 0, 0
    pseudo_mask_loss(logits, torch.ones(2, 3, 3), weights).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert (logits.grad[0, 0] == 0).all()
    assert (logits.grad[1] == 0).all()
    assert (logits.grad[0, 1:] != 0).all()
