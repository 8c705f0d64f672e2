"""Which locations answer for an object and what each counts: golden numbers, torchvision, loops."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.models.detection import FCOS

from stages.box_supervision.positives import (
    assigned,
    best_positives,
    joined_masks,
    positive_weights,
)

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "boxes.json").read_text())
CASE = GOLDEN["positive_mask_weighting"]
LEVELS = (8, 16, 32)


def grid(side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Centres and strides of the locations of a square image."""
    parts = []
    for stride in LEVELS:
        line = (torch.arange(side // stride) + 0.5) * stride
        y, x = torch.meshgrid(line, line, indexing="ij")
        parts.append((torch.stack([x, y], -1).reshape(-1, 2), torch.full((x.numel(),), stride)))
    return torch.cat([c for c, _ in parts]), torch.cat([s for _, s in parts]).float()


class Stock:
    """What torchvision's FCOS needs of itself to match, and its head, which keeps the matches."""

    center_sampling_radius = 1.5

    def __init__(self) -> None:
        self.head = self
        self.matched: Any = None

    def compute_loss(self, *args: Any) -> None:
        self.matched = args[-1]


def stock(centres: torch.Tensor, strides: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    half = strides[:, None] / 2
    anchors = torch.cat([centres - half, centres + half], dim=1)
    counts = [int((strides == stride).sum()) for stride in LEVELS]
    asked = Stock()
    FCOS.compute_loss(asked, [{"boxes": boxes}], {}, [anchors], counts)  # type: ignore[arg-type]
    return asked.matched[0]  # type: ignore[no-any-return]


def test_no_object_claims_no_location() -> None:
    centres, strides = grid(64)
    assert (assigned(centres, strides, torch.zeros(0, 4)) == -1).all()
    assert len(assigned(centres[:0], strides[:0], torch.ones(1, 4))) == 0


@pytest.mark.parametrize("seed", range(5))
def test_locations_are_those_of_torchvision(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 200, (12, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(3, 220, (12, 2))], axis=1)
    centres, strides = grid(256)
    asked = centres, strides, torch.from_numpy(boxes).float()
    seen = assigned(*asked)
    assert torch.equal(seen, stock(*asked))
    assert len(seen.unique()) > 5


@pytest.mark.parametrize(
    ("box", "count"),
    [
        ((8.5, 8.5, 11, 11), 0),  # lies between the centres 4 and 12
        ((300, 300, 340, 340), 0),  # beside the image
        ((10, 10, 10, 10), 0),  # without area
        ((16, 16, 56, 56), 9),
    ],
)
def test_what_claims_nothing_has_no_positive(
    box: tuple[float, float, float, float], count: int
) -> None:
    owners = assigned(*grid(256), torch.tensor([box], dtype=torch.float32))
    assert int((owners == 0).sum()) == count


def test_the_smaller_of_two_objects_gets_the_location() -> None:
    boxes = torch.tensor([[16.0, 16, 64, 64], [24.0, 24, 56, 56], [24.0, 24, 56, 56]])
    owners = assigned(*grid(64), boxes)
    assert 1 in owners
    assert 2 not in owners  # the same box again: the first has them all


def test_each_object_keeps_its_surest_positives() -> None:
    owners = torch.tensor([0, 0, 1, 0, 2])
    scores = torch.tensor([0.1, 0.9, 0.5, 0.8, 0.2])
    kept = {most: best_positives(owners, scores, 3, most=most).tolist() for most in (1, 6, 64)}
    assert kept == {1: [1, 2, 4], 6: [1, 2, 3, 4], 64: [0, 1, 2, 3, 4]}
    assert best_positives(owners[:0], scores[:0], 0, most=64).tolist() == []


@pytest.mark.parametrize("mu", [5, 0, 10])
def test_golden(mu: int) -> None:
    ious = torch.tensor(CASE["iou_pred_box_vs_gt"], dtype=torch.float64)
    owners = torch.tensor(CASE["gt_index"])
    weights = positive_weights(ious, owners, 3, mu=mu)
    assert weights.tolist() == pytest.approx(CASE[f"mu_{mu}"]["weights"], abs=1e-7)
    chances = torch.tensor(CASE["mask_probs_PHW"], dtype=torch.float64)
    joined = joined_masks(chances, weights, owners, 3)
    wanted = torch.tensor(CASE[f"mu_{mu}"]["M_I_GHW"], dtype=torch.float64)
    assert (joined - wanted).abs().max() < 1e-7


def test_weights_are_those_of_a_loop_and_an_object_without_positives_has_an_empty_mask() -> None:
    rng = np.random.default_rng(0)
    ious, owners, chances = rng.random(7), np.array([0, 2, 2, 0, 4, 4, 4]), rng.random((7, 3, 2))
    weights = positive_weights(torch.from_numpy(ious), torch.from_numpy(owners), 5, mu=5)
    for place, owner in enumerate(owners):
        whole = sum(math.exp(5 * ious[i]) for i in range(7) if owners[i] == owner)
        assert weights[place].item() == pytest.approx(math.exp(5 * ious[place]) / whole)
    joined = joined_masks(torch.from_numpy(chances), weights, torch.from_numpy(owners), 5)
    for owner in range(5):
        mine = [weights[i].item() * chances[i] for i in range(7) if owners[i] == owner]
        wanted = np.sum(mine, axis=0) if mine else np.zeros((3, 2))
        assert np.allclose(joined[owner].numpy(), wanted)


def test_a_sharp_weight_is_that_of_the_best_positive() -> None:
    ious, owners = torch.tensor([0.1, 0.2, 0.9]), torch.tensor([0, 0, 1])
    assert positive_weights(ious, owners, 2, mu=1e6).tolist() == [0, 1, 1]


def test_no_positive_makes_no_mask() -> None:
    none = torch.zeros(0, dtype=torch.int64)
    weights = positive_weights(torch.zeros(0), none, 2, mu=5)
    assert (
        joined_masks(torch.zeros(0, 3, 3), weights, none, 2).tolist()
        == np.zeros((2, 3, 3)).tolist()
    )
