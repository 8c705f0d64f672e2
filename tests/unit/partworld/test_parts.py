import numpy as np
import pytest

from stages.partworld import parts
from stages.partworld.classes import CLASSES, lone_part


def test_rect_and_polygon_list_corners_in_float32() -> None:
    np.testing.assert_array_equal(parts.rect(0, 0, 1, 2), [[0, 0], [1, 0], [1, 2], [0, 2]])
    assert parts.polygon((0, 0), (1, 1)).dtype == np.float32


def test_ellipse_touches_its_box() -> None:
    points = parts.ellipse(0.5, 0.5, 0.3, 0.2)
    assert points[:, 0].max() == pytest.approx(0.8)
    np.testing.assert_allclose(points[:, 1].max(), 0.7, atol=0.002)


def test_mirrored_twice_is_the_same() -> None:
    points = parts.rect(0.1, 0.2, 0.4, 0.9)
    np.testing.assert_allclose(parts.mirrored(parts.mirrored(points)), points, atol=1e-6)


def test_moved_squeezes_into_the_box_and_renames() -> None:
    piece = parts.Piece("wall", "shaft", parts.rect(0, 0, 1, 1))
    (got,) = parts.moved([piece], (0.5, 0.0, 1.0, 1.0), "east_")
    assert (got.part, got.compound) == ("east_wall", "shaft")
    np.testing.assert_allclose(got.points, parts.rect(0.5, 0, 1, 1))


@pytest.mark.parametrize("item", CLASSES, ids=[item.name for item in CLASSES])
def test_every_class_stays_near_its_unit_square(item) -> None:  # type: ignore[no-untyped-def]
    for seed in range(10):
        points = np.concatenate([p.points for p in item.build(np.random.default_rng(seed))])
        assert points.min() >= -0.05
        assert points.max() <= 1.05


def test_lone_parts_are_one_part_each() -> None:
    for seed in range(30):
        assert len({piece.part for piece in lone_part(np.random.default_rng(seed))}) == 1
