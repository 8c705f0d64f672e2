"""Tests of stages.learning.backbone."""

import pytest
import torch

from stages.learning.backbone import group_norm


@pytest.mark.parametrize(
    ("channels", "groups"), [(8, 4), (16, 8), (32, 16), (48, 16), (64, 32), (256, 32)]
)
def test_group_norm_takes_a_single_pixel_of_a_single_image(channels: int, groups: int) -> None:
    norm = group_norm(channels)
    assert norm.num_groups == groups
    assert torch.isfinite(norm(torch.rand(1, channels, 1, 1))).all()
