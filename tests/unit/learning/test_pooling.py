"""RoIs take the level that fits them, and pooling is aligned."""

import json
from pathlib import Path

import pytest
import torch
from torchvision.ops import roi_align

from stages.learning.pooling import fpn_levels, pooled

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "sapnet.json").read_text())["cases"]


def test_fpn_levels_of_the_golden_boxes() -> None:
    case = GOLDEN["fpn_level"]
    assert fpn_levels(torch.tensor(case["inputs"]), 5).tolist() == case["expected"]


def test_one_level_takes_all_boxes() -> None:
    assert fpn_levels(torch.tensor([[0.0, 0, 900, 900], [0, 0, 0, 0]]), 1).tolist() == [0, 0]


def test_pooling_is_aligned_and_takes_the_level_of_each_box() -> None:
    maps = [torch.rand(2, 3, 64 // s, 64 // s) for s in (1, 2)]
    strides = (4.0, 8.0)
    rois = torch.tensor([[0.0, 8, 8, 64, 64], [1, 0, 0, 200, 240], [1, 10, 20, 30, 25]])
    seen = pooled(maps, strides, rois, 7)
    for row, level in zip(range(3), (0, 1, 0), strict=True):
        one = roi_align(maps[level], rois[row : row + 1], 7, 1 / strides[level], -1, aligned=True)
        torch.testing.assert_close(seen[row : row + 1], one)


def test_pooling_a_ramp_gives_the_centres_of_the_cells() -> None:
    ramp = torch.arange(32.0)[None, None, None].expand(1, 1, 32, 32)  # value = column
    seen = pooled([ramp], (8.0,), torch.tensor([[0.0, 80, 80, 136, 136]]), 7)
    assert seen[0, 0, 3].tolist() == pytest.approx([10 + i for i in range(7)])


def test_no_box_pools_to_nothing() -> None:
    assert pooled([torch.rand(1, 3, 8, 8)], (8.0,), torch.zeros(0, 5), 7).shape == (0, 3, 7, 7)
