"""Where prototypes start: what is drawn, and that means of it are what a loop makes."""

import numpy as np
import pyarrow as pa
import pytest

from stages.box_supervision.prototypes import assigned
from stages.box_supervision.semantic_map import is_filled, unit_vectors
from stages.learning.prototype_start import sampled, sampled_images, started
from stages.settings.refiners.sim import Settings
from stages.tables.prototype_sums import PROTOTYPE_SUMS, sums_of
from stages.tables.table import empty_table

ORDER = (10, 20, 30)
CLASSES = {k: frozenset([10, 20] if k % 2 else [10]) for k in range(1, 41)}


def settings(**changes: int) -> Settings:
    start = {"images": 8, "pixels": 6, "passes": 2, **changes}
    return Settings.model_validate({"prototypes": 3, "start": start})


def pixels(seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return unit_vectors(rng.normal(size=(count, 4))).astype(np.float32)


def test_no_image_no_sample_no_prototype() -> None:
    assert sampled_images({}, ORDER, settings(), seed=0) == {}
    vectors, counts = started(empty_table(PROTOTYPE_SUMS), ORDER, settings(), seed=0)
    assert vectors.shape == (3, 3, 0)
    assert not counts.any()


def test_so_many_images_of_each_class_are_drawn() -> None:
    found = sampled_images(CLASSES, ORDER, settings(), seed=0)
    assert list(found) == sorted(found)
    for category_id, wanted in ((10, 8), (20, 8), (30, 0)):
        mine = [image_id for image_id, classes in found.items() if category_id in classes]
        assert len(mine) == wanted
        assert all(category_id in CLASSES[image_id] for image_id in mine)
    assert found != sampled_images(CLASSES, ORDER, settings(), seed=1)
    turned = dict(reversed(CLASSES.items()))
    assert found == sampled_images(turned, ORDER, settings(), seed=0)
    assert len(sampled_images(CLASSES, ORDER, settings(images=99), seed=0)) == 40


def test_so_many_pixels_of_each_class_are_drawn() -> None:
    features = {10: pixels(0, 50), 20: pixels(1, 2)}
    table = sampled(7, features, ORDER, most=6, seed=0)
    rows = list(sums_of(table))
    assert [(number, len(sums)) for number, sums, _ in rows] == [(10, 6), (20, 2)]
    for number, sums, counts in rows:
        assert set(map(tuple, sums)) <= set(map(tuple, features[number]))
        assert len({tuple(row) for row in sums}) == len(sums)
        assert (counts == 1).all()
    again = sampled(7, features, ORDER, most=6, seed=0)
    assert again.equals(table)
    assert (
        not sampled(8, features, ORDER, most=6, seed=0).column("sums").equals(table.column("sums"))
    )


def sample(counts: dict[int, int]) -> pa.Table:
    """Rows of images 1, 2, ... with so many pixels of class 10 each."""
    parts = [
        sampled(image_id, {10: pixels(image_id, count)}, ORDER, most=count, seed=0)
        for image_id, count in counts.items()
    ]
    return pa.concat_tables(parts)


@pytest.mark.parametrize("passes", [0, 1, 3])
def test_means_deal_pixels_image_by_image(passes: int) -> None:
    counts = {1: 9, 2: 1, 3: 5}
    first, _ = started(sample(counts), ORDER, settings(passes=0), seed=0)
    wanted = first[0].copy()
    parts = [sums for _, sums, _ in sums_of(sample(counts))]
    for _ in range(passes):
        sums = np.zeros_like(wanted)
        for part in parts:
            for pixel, place in zip(part, assigned(part @ wanted.T), strict=True):
                sums[place] += pixel
        wanted = unit_vectors(sums)
    seen, dealt = started(sample(counts), ORDER, settings(passes=passes), seed=0)
    np.testing.assert_allclose(seen[0], wanted, atol=1e-9)
    assert dealt[0].sum() == (15 if passes else 0)
    assert not seen[1:].any()


def test_fewer_pixels_than_prototypes_leave_some_empty() -> None:
    vectors, counts = started(sample({1: 1, 2: 1}), ORDER, settings(), seed=0)
    assert is_filled(vectors).sum(axis=1).tolist() == [2, 0, 0]
    assert sorted(counts[0].tolist()) == [0, 1, 1]
