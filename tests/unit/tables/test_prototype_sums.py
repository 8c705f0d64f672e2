"""Sums of pixels go into rows and come out of them."""

import numpy as np

from stages.tables.prototype_sums import PROTOTYPE_SUMS, sums_of, sums_row
from stages.tables.table import empty_table, rows_table


def test_no_row_gives_nothing() -> None:
    assert list(sums_of(empty_table(PROTOTYPE_SUMS))) == []


def test_rows_come_back_in_order() -> None:
    rng = np.random.default_rng(0)
    wanted = [(4, rng.random((2, 3)), np.array([5, 0])), (2, np.ones((1, 3)), np.array([1]))]
    rows = [sums_row(image_id, *each) for image_id, each in enumerate(wanted)]
    for (number, sums, counts), (seen, mine, of) in zip(
        wanted, sums_of(rows_table(PROTOTYPE_SUMS, rows)), strict=True
    ):
        assert seen == number
        assert of.tolist() == counts.tolist()
        np.testing.assert_allclose(mine, sums, rtol=1e-6)
        assert mine.dtype == np.float32


def test_slices_hold_their_own_rows() -> None:
    rows = [sums_row(k, k, np.full((1, 2), k), np.array([k])) for k in range(5)]
    table = rows_table(PROTOTYPE_SUMS, rows).slice(3)
    assert [(number, sums.tolist()) for number, sums, _ in sums_of(table)] == [
        (3, [[3, 3]]),
        (4, [[4, 4]]),
    ]
