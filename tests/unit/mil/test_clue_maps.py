"""Maps of clues: WeakTr's formulas against golden numbers and loops, and maps that are flat."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stages.mil import clue_maps

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "weaksam.json").read_text())
CASE = GOLDEN["weaktr_cam"]
CLASSES, GRID = 2, (2, 2)
GENERATOR = torch.Generator().manual_seed(0)


def attention() -> Tensor:
    """(1, 6, 6, 6), as the golden case says: softmax of 0 to 6, again and again."""
    return (torch.arange(6 * 6 * 6) % 7).double().reshape(1, 6, 6, 6).softmax(dim=-1)


def close(seen: Tensor, wanted: Any) -> None:
    np.testing.assert_allclose(seen.numpy(), np.array(wanted), rtol=0, atol=2e-6)


def test_maps_of_the_golden_case() -> None:
    weights = torch.tensor(CASE["aaf_weights_hk"], dtype=torch.float64)[None]
    mean = clue_maps.mean_attention(attention(), weights)
    cross = clue_maps.cross_attention(mean, GRID, CLASSES)
    patches = clue_maps.patch_attention(mean, CLASSES)
    coarse = clue_maps.coarse_map(torch.tensor(CASE["coarse_relu"], dtype=torch.float64))[None]
    close(cross[0], CASE["expected_cross"])
    close(patches[0], CASE["expected_patch_attn"])
    close((cross * coarse)[0], CASE["expected_fused"])
    close(clue_maps.fine_map(coarse, cross, patches)[0], CASE["expected_fine"])


def test_fine_maps_equal_the_loop_on_a_grid_that_is_not_square() -> None:
    coarse, cross = torch.rand(2, 2, 3, 2, 4, generator=GENERATOR, dtype=torch.float64)
    patches = torch.rand(2, 8, 8, generator=GENERATOR, dtype=torch.float64)
    seen = clue_maps.fine_map(coarse, cross, patches)
    for b, c, p in np.ndindex(2, 3, 8):
        cells = [(q, q // 4, q % 4) for q in range(8)]
        wanted = sum(patches[b, p, q] * cross[b, c, y, x] * coarse[b, c, y, x] for q, y, x in cells)
        assert seen[b, c, p // 4, p % 4].item() == pytest.approx(float(wanted))


def test_adaptive_weights_equal_the_loop() -> None:
    many = torch.rand(2, 8, 3, 3, generator=GENERATOR, dtype=torch.float64)
    squeeze = torch.randn(2, 8, generator=GENERATOR, dtype=torch.float64)
    excite = torch.randn(8, 2, generator=GENERATOR, dtype=torch.float64)
    seen = clue_maps.adaptive_weights(many, squeeze, excite)
    for b in range(2):
        pooled = [float(many[b, m].sum()) / 9 for m in range(8)]
        inner = [max(0.0, sum(squeeze[r, m].item() * pooled[m] for m in range(8))) for r in (0, 1)]
        for m in range(8):
            outer = sum(excite[m, r].item() * inner[r] for r in (0, 1))
            assert seen[b, m].item() == pytest.approx(1 / (1 + np.exp(-outer)))


def test_uniform_weights_give_the_plain_mean() -> None:
    many = attention()
    mean = clue_maps.mean_attention(many, clue_maps.uniform_weights(many))
    close(mean, many.mean(dim=1).numpy())
    close(mean.sum(dim=-1), np.ones((1, 6)))


def test_raw_attention_of_heads_becomes_a_map_for_each_class() -> None:
    seen = clue_maps.cross_attention(attention()[0], GRID, CLASSES)
    assert seen.shape == (6, 2, 2, 2)
    assert seen[3, 1, 1, 0] == attention()[0, 3, 1, 2 + 2]


def test_coarse_maps_are_cut_at_zero() -> None:
    assert clue_maps.coarse_map(torch.tensor([[-1.0, 2.0]])).tolist() == [[0.0, 2.0]]


MAPS = [
    ("no map", torch.zeros(0, 2, 2), []),
    ("flat", torch.full((1, 2, 2), 7.0), [[[0, 0], [0, 0]]]),
    ("flat in half precision", torch.full((1, 1, 2), 7.0, dtype=torch.float16), [[[0, 0]]]),
    ("negative values", torch.tensor([[[-2.0, 0.0, 2.0]]]), [[[0, 0.5, 1]]]),
    ("each by itself", torch.tensor([[[0.0, 4.0]], [[1.0, 0.0]]]), [[[0, 1]], [[1, 0]]]),
]


@pytest.mark.parametrize(("maps", "wanted"), [m[1:] for m in MAPS], ids=[m[0] for m in MAPS])
def test_maps_are_normalised_each_and_never_nan(maps: Tensor, wanted: Any) -> None:
    seen = clue_maps.normalised_maps(maps)
    assert seen.dtype == torch.float32
    np.testing.assert_allclose(seen.numpy(), np.array(wanted).reshape(seen.shape), atol=1e-6)
