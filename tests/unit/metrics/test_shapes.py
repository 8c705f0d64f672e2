"""One-to-one matching against a slow loop, and classes taken apart."""

import numpy as np
import pytest

from stages.metrics.shapes import Shapes, greedy_pairs, no_shapes


def slow_pairs(overlaps: np.ndarray) -> list[tuple[int, int]]:
    """Sort all pairs and take each whose row and column are free."""
    rows, columns = overlaps.shape
    pairs = [(-overlaps[r, c], r, c) for r in range(rows) for c in range(columns)]
    taken: list[tuple[int, int]] = []
    for value, row, column in sorted(pairs):
        free = all(row != r and column != c for r, c in taken)
        if free and value < 0:
            taken.append((row, column))
    return taken


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_is_matched_with_nothing(shape: tuple[int, int]) -> None:
    assert greedy_pairs(np.zeros(shape)).shape == (0, 2)


def test_the_largest_overlap_is_taken_first_even_where_the_sum_would_be_larger() -> None:
    assert greedy_pairs(np.array([[0.9, 0.8], [0.8, 0.0]])).tolist() == [[0, 0]]


@pytest.mark.parametrize("seed", range(8))
def test_pairs_are_those_of_a_slow_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    overlaps = rng.integers(0, 6, rng.integers(1, 9, 2)) / 5  # with ties and zeros
    before = overlaps.copy()
    assert [tuple(pair) for pair in greedy_pairs(overlaps).tolist()] == slow_pairs(overlaps)
    assert np.array_equal(overlaps, before)


def test_a_class_is_taken_with_all_that_is_known_of_it() -> None:
    shapes = Shapes(
        np.array([3, 5, 3]),
        np.arange(12.0).reshape(3, 4),
        [{"counts": name} for name in "abc"],
        np.array([0.1, 0.2, 0.3]),
    )
    mine = shapes.of_class(3)
    assert (len(shapes), len(mine), len(no_shapes())) == (3, 2, 0)
    assert mine.boxes[:, 0].tolist() == [0, 8]
    assert [rle["counts"] for rle in mine.rles or []] == ["a", "c"]
    assert mine.scores is not None
    assert mine.scores.tolist() == [0.1, 0.3]
    assert Shapes(shapes.category_id, shapes.boxes).of_class(5).rles is None
