"""Size classes: an object exactly at an edge, shares of images of different sizes, names."""

import numpy as np
import pytest

from stages.geometry.masks import Rle, masks_to_rles
from stages.metrics.object_sizes import share_of, size_name, size_names

EDGES = (0.005, 0.02, 0.08, 0.2)
NAMES = ["< 0.5 %", "0.5 to 2 %", "2 to 8 %", "8 to 20 %", ">= 20 %"]


def mask(pixels: int, height: int, width: int) -> Rle:
    """So many pixels, in the order of rows, of an image of this size."""
    plane = np.arange(height * width).reshape(1, height, width) < pixels
    return masks_to_rles(plane.astype(np.uint8))[0]


@pytest.mark.parametrize(
    ("edges", "names"),
    [
        ((0.1,), ["< 10 %", ">= 10 %"]),
        (EDGES, NAMES),
        ((0.07, 0.125), ["< 7 %", "7 to 12.5 %", ">= 12.5 %"]),  # 100 * 0.07 is above 7
    ],
)
def test_names_run_from_the_smallest_to_the_largest(
    edges: tuple[float, ...], names: list[str]
) -> None:
    assert size_names(edges) == names


@pytest.mark.parametrize(
    ("pixels", "name"),
    [
        (0, "< 0.5 %"),
        (49, "< 0.5 %"),
        (50, "0.5 to 2 %"),  # 50 of 10,000 px are 0.5 % exactly
        (199, "0.5 to 2 %"),
        (200, "2 to 8 %"),
        (800, "8 to 20 %"),
        (1999, "8 to 20 %"),
        (2000, ">= 20 %"),
        (10000, ">= 20 %"),
    ],
)
def test_an_object_at_an_edge_is_in_the_larger_class(pixels: int, name: str) -> None:
    assert size_name(share_of(mask(pixels, 100, 100)), EDGES) == name


def test_the_same_object_is_smaller_in_a_larger_image() -> None:
    assert share_of(mask(30, 10, 30)) == pytest.approx(0.1)
    assert share_of(mask(30, 60, 100)) == pytest.approx(0.005)
    assert [size_name(share_of(mask(30, *size)), EDGES) for size in ((10, 30), (61, 100))] == [
        "8 to 20 %",
        "< 0.5 %",
    ]


def test_every_share_is_in_the_class_that_a_loop_over_the_edges_finds() -> None:
    rng = np.random.default_rng(0)
    for share in [*rng.random(200) ** 3, *EDGES]:
        reached = sum(share >= edge for edge in EDGES)
        assert size_name(share, EDGES) == NAMES[reached]
