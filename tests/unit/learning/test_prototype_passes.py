"""What passes do to prototypes, against a loop and by hand."""

import numpy as np
import pyarrow as pa
import pytest

from stages.box_supervision.prototypes import moved
from stages.box_supervision.semantic_map import unit_vectors
from stages.learning.prototype_passes import (
    distance,
    likeness,
    moved_to_means,
    replayed,
    seen_in,
)
from stages.tables.prototype_sums import PROTOTYPE_SUMS, sums_row
from stages.tables.table import empty_table, rows_table

ORDER = (10, 20)
VECTORS = unit_vectors(np.random.default_rng(0).normal(size=(2, 3, 4)))
NOTHING = empty_table(PROTOTYPE_SUMS)


def table() -> pa.Table:
    rng = np.random.default_rng(1)
    rows = [
        sums_row(image_id, number, rng.normal(size=(3, 4)), np.array([2, 0, 1]))
        for image_id in (1, 2, 5)
        for number in ORDER
        if (image_id, number) != (2, 10)
    ]
    return rows_table(PROTOTYPE_SUMS, rows)


def test_no_image_moves_nothing() -> None:
    for after, counts in (
        replayed(NOTHING, VECTORS, ORDER, gamma=0.5),
        moved_to_means(NOTHING, VECTORS, ORDER),
    ):
        assert (after == VECTORS).all()
        assert not counts.any()
    assert likeness(NOTHING, VECTORS, ORDER) == 0
    assert seen_in(NOTHING, np.zeros((2, 3))) == {
        "images": 0,
        "classes": 0,
        "pixels": 0,
        "prototypes": 0,
    }


def test_images_move_prototypes_one_after_the_other() -> None:
    seen, counts = replayed(table(), VECTORS, ORDER, gamma=0.9)
    wanted = VECTORS.copy()
    for row in table().to_pylist():
        place = ORDER.index(row["category_id"])
        sums = np.array(row["sums"]).reshape(3, 4)
        wanted[place] = moved(wanted[place], sums, np.array(row["counts"]), gamma=0.9)
    np.testing.assert_allclose(seen, wanted)
    assert counts.tolist() == [[4, 0, 2], [6, 0, 3]]
    assert (seen[:, 1] == VECTORS[:, 1]).all()  # without pixels
    backwards = table().take([4, 3, 2, 1, 0])
    assert not np.allclose(replayed(backwards, VECTORS, ORDER, gamma=0.9)[0], seen)


def test_means_do_not_mind_the_order() -> None:
    seen, counts = moved_to_means(table(), VECTORS, ORDER)
    sums = np.zeros((2, 3, 4))
    for row in table().to_pylist():
        sums[ORDER.index(row["category_id"])] += np.array(row["sums"]).reshape(3, 4)
    wanted = unit_vectors(sums)
    np.testing.assert_allclose(seen[:, [0, 2]], wanted[:, [0, 2]])
    assert (seen[:, 1] == VECTORS[:, 1]).all()
    assert counts.tolist() == [[4, 0, 2], [6, 0, 3]]
    backwards = table().take([4, 3, 2, 1, 0])
    np.testing.assert_allclose(moved_to_means(backwards, VECTORS, ORDER)[0], seen)


def test_numbers_of_the_log_by_hand() -> None:
    vectors = np.array([[[1.0, 0], [0, 0]], [[0, 1], [1, 0]]])
    rows = [
        sums_row(1, 10, np.array([[1.5, 0.5], [0, 0]]), np.array([2, 0])),
        sums_row(1, 20, np.array([[0, 0.5], [-1, 0]]), np.array([1, 1])),
    ]
    found = rows_table(PROTOTYPE_SUMS, rows)
    assert likeness(found, vectors, ORDER) == pytest.approx((1.5 + 0.5 - 1) / 4)
    turned = np.array([[[0.0, 1], [0, 0]], [[0, 1], [1, 0]]])
    assert distance(vectors, turned) == pytest.approx(1 / 3, abs=1e-6)
    counts = np.array([[2, 0], [1, 1]])
    assert seen_in(found, counts) == {"images": 1, "classes": 2, "pixels": 4, "prototypes": 3}
