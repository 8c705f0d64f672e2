import numpy as np
import pytest
import torch

from stages.partworld.layout import SIDE
from stages.partworld.sam_batches import Batch, build_batch
from stages.partworld.sam_scenes import GRID, SceneWindow
from stages.segmenters.tiny import IMAGE_SIDE


@pytest.fixture(scope="module")
def batch() -> Batch:
    ready, rng = SceneWindow(0, window=4).at(0, 4)
    return build_batch(ready, rng, points_per_image=3)


def test_shapes_are_as_documented(batch: Batch) -> None:
    assert batch.images.shape == (4, 3, IMAGE_SIDE, IMAGE_SIDE)
    assert batch.dense.shape == (4, 8, GRID, GRID)
    assert batch.points.shape == (12, 1, 2)
    assert batch.levels.shape == (12, 5, GRID * GRID)
    assert batch.triples.shape == (4, 3, 2)
    assert batch.boxes.shape == (4, 4)
    assert batch.point_image.tolist() == sorted([0, 1, 2, 3] * 3)


def test_kept_levels_contain_their_point_and_grow(batch: Batch) -> None:
    cell = (batch.points[:, 0] * GRID / IMAGE_SIDE).long()
    at_point = batch.levels[torch.arange(12), :, cell[:, 1] * GRID + cell[:, 0]]
    assert bool((at_point[~batch.duplicate] > 0).all())
    for masks, drop in zip(batch.levels, batch.duplicate, strict=True):
        areas = masks[~drop].sum(-1)
        assert bool((areas.diff() > 0).all())


def test_every_point_keeps_at_least_one_level(batch: Batch) -> None:
    assert bool((~batch.duplicate).any(dim=1).all())


def test_boxes_and_points_lie_within_the_frame(batch: Batch) -> None:
    for values in (batch.points, batch.triples, batch.boxes):
        assert values.min() >= 0
        assert values.max() <= IMAGE_SIDE
    assert bool((batch.boxes[:, 2:] > batch.boxes[:, :2]).all())


def test_triples_lie_on_their_target(batch: Batch) -> None:
    cell = (batch.triples * GRID / IMAGE_SIDE).long()
    flat = cell[..., 1] * GRID + cell[..., 0]
    assert bool((batch.triple_target.gather(1, flat) > 0).all())


def test_equal_steps_give_equal_batches(batch: Batch) -> None:
    ready, rng = SceneWindow(0, window=4).at(0, 4)
    again = build_batch(ready, rng, points_per_image=3)
    for name in Batch.__slots__:
        np.testing.assert_array_equal(getattr(again, name), getattr(batch, name))
    assert SIDE == 2 * IMAGE_SIDE
