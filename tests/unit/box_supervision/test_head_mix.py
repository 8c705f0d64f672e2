"""The mix of heads against tests/golden/boxes.json."""

import json
from pathlib import Path

import numpy as np
import torch

from stages.box_supervision.head_mix import mixed_logits

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "boxes.json").read_text())["head_mix"]


def test_golden_follows_the_code_and_not_the_prose() -> None:
    salient, other = (torch.tensor(GOLDEN[f"{n}_logits"]) for n in ("salient", "transferred"))
    for weight, name in (
        (0.7, "weight_0.7_on_salient_head_released_code"),
        (0.3, "weight_0.7_on_transferred_head"),
    ):
        seen = mixed_logits(salient, other, salient_weight=weight)
        np.testing.assert_allclose(seen.numpy(), GOLDEN[name]["mixed_logits"], atol=1e-6)
        np.testing.assert_allclose(seen.sigmoid().numpy(), GOLDEN[name]["prob"], atol=1e-6)


def test_the_ends_are_single_heads() -> None:
    a, b = torch.tensor([1.0, -3.0]), torch.tensor([2.0, 0.5])
    assert mixed_logits(a, b, salient_weight=1.0).tolist() == a.tolist()
    assert mixed_logits(a, b, salient_weight=0.0).tolist() == b.tolist()
