"""The smooth term against tests/golden/boxes.json and a slow loop."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.box_supervision.smoothing import smooth_term

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "boxes.json").read_text())


def slow(logits: np.ndarray, *, padded: bool) -> float:
    """Each pixel of each crop with each of its neighbours, one after the other."""
    means = []
    for dy, dx in [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if (a, b) != (0, 0)]:
        squares = []
        for crop in logits:
            height, width = crop.shape
            for y in range(height):
                for x in range(width):
                    inside = 0 <= y + dy < height and 0 <= x + dx < width
                    if not inside and not padded:
                        continue
                    other = 1 / (1 + math.exp(-crop[y + dy, x + dx])) if inside else 0.0
                    squares.append((1 / (1 + math.exp(-crop[y, x])) - other) ** 2)
        means.append(sum(squares) / len(squares) if squares else 0.0)
    return sum(means) / 8


def test_no_crop_is_smooth() -> None:
    assert smooth_term(torch.zeros(0, 3, 3)).item() == 0


@pytest.mark.parametrize("case", GOLDEN["mil_smooth_term"])
def test_golden(case: dict[str, Any]) -> None:
    logits = torch.tensor([case["logits_HW"]], dtype=torch.float64)
    padded, weight = case["weight"] * smooth_term(logits), case["weight"]
    assert padded.item() == pytest.approx(case["loss_pairwise_zero_padded"], abs=1e-6)
    inner = weight * smooth_term(logits, border="interior")
    assert inner.item() == pytest.approx(case["loss_pairwise_interior_pairs_only"], abs=1e-6)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 5), (2, 4, 3), (3, 6, 6)])
@pytest.mark.parametrize("border", ["zero_pad", "interior"])
def test_the_term_is_that_of_a_loop_over_pairs(shape: tuple[int, int, int], border: str) -> None:
    logits = np.random.default_rng(4).normal(0, 2, shape)
    seen = smooth_term(torch.from_numpy(logits), border=border).item()
    assert seen == pytest.approx(slow(logits, padded=border == "zero_pad"), abs=1e-9)


def test_inside_the_crop_a_map_that_is_all_alike_costs_nothing() -> None:
    full = torch.full((1, 4, 4), 5.0)
    assert smooth_term(full, border="interior").item() == 0
    assert smooth_term(full).item() > 0.2


def test_another_border_is_refused() -> None:
    with pytest.raises(ValueError, match="zero_pad or interior"):
        smooth_term(torch.zeros(1, 2, 2), border="reflect")
