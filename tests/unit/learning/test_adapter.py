"""What is learned on a frozen map."""

import pytest
import torch

from stages.learning.adapter import Adapter, group_norm


@pytest.mark.parametrize(
    ("channels", "groups"), [(8, 4), (16, 8), (32, 16), (48, 16), (64, 32), (256, 32)]
)
def test_group_norm_takes_a_single_pixel_of_a_single_image(channels: int, groups: int) -> None:
    norm = group_norm(channels)
    assert norm.num_groups == groups
    assert torch.isfinite(norm(torch.rand(1, channels, 1, 1))).all()


def test_the_adapter_gives_one_level_of_the_wanted_channels() -> None:
    [level] = Adapter(8, 16)(torch.rand(2, 8, 5, 7))
    assert level.shape == (2, 16, 5, 7)
    assert level.min() >= 0
