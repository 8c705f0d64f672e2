"""Cells to pixels: a map lies where the network saw it, mirrored or not, padded or not."""

import numpy as np
import pytest
import torch

from stages.learning.map_sizes import SummedMaps, to_image
from stages.mil.clue_maps import normalised_maps


def test_no_map_gives_no_map() -> None:
    assert to_image(torch.zeros(0, 2, 3), (20, 30), flip=False, cell=10).shape == (0, 20, 30)


def test_the_middle_of_a_cell_keeps_its_value_and_between_them_it_is_linear() -> None:
    cells = torch.tensor([[[0.0, 1.0], [0.0, 1.0]]])
    seen = to_image(cells, (4, 4), flip=False, cell=2)
    torch.testing.assert_close(seen[0, 1], torch.tensor([0.0, 0.25, 0.75, 1.0]))


def test_the_mirrored_map_is_turned_back() -> None:
    cells = torch.rand(2, 3, 4)
    plain = to_image(cells, (30, 37), flip=False, cell=10)
    assert torch.equal(to_image(cells, (30, 37), flip=True, cell=10), plain.flip(2))


def test_cells_that_reach_beyond_the_image_are_cut_not_squeezed() -> None:
    cells = torch.zeros(1, 3, 3)
    cells[0, :, 0] = 1
    narrow, whole = (to_image(cells, (30, w), flip=False, cell=10) for w in (21, 30))
    assert torch.equal(narrow, whole[:, :, :21])


def test_without_a_cell_size_the_map_is_stretched_over_the_image() -> None:
    seen = to_image(torch.tensor([[[0.0, 1.0]]]), (1, 6), flip=False)
    assert seen[0, 0, 0] == 0
    assert seen[0, 0, -1] == 1


def drawn(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def test_there_are_no_maps_of_no_view() -> None:
    assert len(SummedMaps([], (4, 6))) == 0


def test_each_map_is_the_sum_of_its_views_normalised() -> None:
    size, views = (20, 30), [(drawn(3, 4, 5), False), (drawn(3, 2, 3), True)]
    whole = sum(to_image(cells, size, flip=flip) for cells, flip in views)
    wanted = normalised_maps(whole).numpy()
    maps = SummedMaps(views, size)
    assert len(maps) == 3
    np.testing.assert_allclose(np.stack(maps), wanted, atol=1e-6)
    np.testing.assert_allclose(np.stack(maps[1:]), wanted[1:], atol=1e-6)
    np.testing.assert_allclose(maps[-1], wanted[2], atol=1e-6)
    with pytest.raises(IndexError):
        maps[3]
