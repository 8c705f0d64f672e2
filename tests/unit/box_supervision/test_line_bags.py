"""Line bags against tests/golden/boxes.json and a slow loop."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.box_supervision.line_bags import line_bag_loss, line_bags

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "boxes.json").read_text())
CASES = GOLDEN["mil_row_col_loss"]


def slow(logits: np.ndarray, labels: np.ndarray) -> float:
    """Each line of each crop, one after the other."""
    total, bags = 0.0, 0
    for crop, wanted in zip(logits, labels, strict=True):
        height, width = crop.shape
        lines = [[(y, x) for y in range(height)] for x in range(width)]
        lines += [[(y, x) for x in range(width)] for y in range(height)]
        for line in lines:
            best = max(float(crop[at]) for at in line)
            crosses = max(float(wanted[at]) for at in line)
            chance = 1 / (1 + math.exp(-best))
            total -= math.log(chance if crosses else 1 - chance)
            bags += 1
    return total / bags


def test_no_crop_loses_nothing() -> None:
    nothing = torch.zeros(0, 4, 5, requires_grad=True)
    assert line_bag_loss(nothing, torch.zeros(0, 4, 5)).item() == 0


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_golden(case: dict[str, Any]) -> None:
    logits = torch.tensor(case["logits_NHW"], dtype=torch.float64, requires_grad=True)
    labels = torch.tensor(case["label_NHW"], dtype=torch.float64)
    bags = line_bags(logits).tolist()
    wanted = [c + r for c, r in zip(case["column_bag_logits"], case["row_bag_logits"], strict=True)]
    np.testing.assert_allclose(bags, wanted, atol=1e-6)
    truth = [c + r for c, r in zip(case["column_bag_labels"], case["row_bag_labels"], strict=True)]
    assert line_bags(labels).tolist() == truth
    loss = line_bag_loss(logits, labels)
    assert loss.item() == pytest.approx(case["loss_mil"], abs=1e-6)
    loss.backward()
    assert logits.grad is not None
    unlike = 1 if case["name"] == "batch_of_two" else len(logits)  # its second item has ties
    grad = np.array(case["grad_logits_NHW"])
    np.testing.assert_allclose(logits.grad.numpy()[:unlike], grad[:unlike], atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 6), (3, 5, 4), (2, 9, 9)])
def test_the_loss_is_that_of_a_loop_over_lines(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(3)
    logits, labels = rng.normal(0, 2, shape), (rng.random(shape) > 0.7).astype(float)
    seen = line_bag_loss(torch.from_numpy(logits), torch.from_numpy(labels)).item()
    assert seen == pytest.approx(slow(logits, labels), abs=1e-9)


def test_a_mask_counts_as_its_tight_box() -> None:
    mask = torch.zeros(1, 6, 6)
    mask[0, [1, 2, 3], [4, 2, 3]] = 1
    box = torch.zeros(1, 6, 6)
    box[0, 1:4, 2:5] = 1
    logits = torch.randn(1, 6, 6, generator=torch.Generator().manual_seed(0))
    assert line_bag_loss(logits, mask).item() == line_bag_loss(logits, box).item()


def test_each_line_pulls_at_one_pixel() -> None:
    logits = torch.zeros(1, 3, 4, requires_grad=True)
    line_bag_loss(logits, torch.ones(1, 3, 4)).backward()
    assert logits.grad is not None
    assert int((logits.grad != 0).sum()) <= 3 + 4


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="differ"):
        line_bag_loss(torch.zeros(1, 3, 4), torch.zeros(1, 4, 3))
