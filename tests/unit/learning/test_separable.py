"""Separable RoIAlign has the numbers and the gradients of torchvision's."""

import pytest
import torch
from torchvision.ops import roi_align

from stages.learning.separable import sampling_weights, separable_roi_align

GENERATOR = torch.Generator().manual_seed(0)


def random_rois(per_image: list[int], size: float) -> torch.Tensor:
    """Boxes inside, across and outside an image of `size` px, some of them without area."""
    rows = []
    for image, count in enumerate(per_image):
        corner = (torch.rand(count, 2, generator=GENERATOR) * 1.6 - 0.3) * size
        side = torch.rand(count, 2, generator=GENERATOR) ** 2 * 1.2 * size
        side[::5] = 0
        number = torch.full((count, 1), float(image))
        rows.append(torch.cat([number, corner, corner + side], dim=1))
    return torch.cat(rows)


@pytest.mark.parametrize("size", [1, 3, 7])
@pytest.mark.parametrize(("height", "width"), [(16, 16), (1, 5), (9, 31)])
def test_values_and_gradients_are_those_of_torchvision(height: int, width: int, size: int) -> None:
    level = torch.randn(3, 4, height, width, generator=GENERATOR)
    rois = random_rois([40, 0, 25], 8.0 * max(height, width))
    weights = torch.randn(len(rois), 4, size, size, generator=GENERATOR)
    results = []
    for pool in (
        lambda x: separable_roi_align(x, rois, size, 8.0),
        lambda x: roi_align(x, rois, size, 1 / 8.0, sampling_ratio=-1, aligned=True),
    ):
        x = level.clone().requires_grad_()
        values = pool(x)
        (values * weights).sum().backward()
        results.append((values.detach(), x.grad))
    torch.testing.assert_close(results[0][0], results[1][0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(results[0][1], results[1][1], rtol=1e-4, atol=1e-3)


def test_no_roi_pools_to_nothing() -> None:
    assert separable_roi_align(torch.rand(2, 3, 8, 8), torch.zeros(0, 5), 7, 8.0).shape == (
        0,
        3,
        7,
        7,
    )


def test_weights_of_a_bin_inside_the_map_sum_to_one() -> None:
    low = torch.tensor([0.0, 2.3, 5.0])
    weights = sampling_weights(low, low + torch.tensor([7.0, 3.1, 0.5]), cells=16, size=7)
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(3, 7))
