"""Keys as arrays do what sets of tuples do."""

from pathlib import Path

import numpy as np
import pytest

from stages.tables.keys import Keys, check_same, joined, keys_of
from stages.tables.proposals import PROPOSALS
from stages.tables.table import rows_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.sound_rows import proposal_row

Pairs = list[tuple[int, ...]]


def keys(pairs: Pairs) -> Keys:
    """Keys of two numbers."""
    return Keys(np.array(pairs, dtype=np.int64).reshape(-1, 2))


@pytest.mark.parametrize(
    ("seen", "wanted", "words"),
    [
        ([], [(1, 2)], r"t: 1 things are missing \(first: \(1, 2\)\), so it does not add up"),
        ([(3, 4), (1, 2)], [], r"t: 2 things are unknown \(first: \(1, 2\)\)"),
        ([(3, 4)], [(1, 2)], r"1 things are missing .* and 1 things are unknown"),
    ],
    ids=["missing", "unknown", "both"],
)
def test_what_is_missing_or_unknown_is_counted_and_named(
    seen: Pairs, wanted: Pairs, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        check_same(keys(seen), keys(wanted), what="things", where=Path("t"))


def test_the_same_things_in_another_order_are_the_same() -> None:
    check_same(keys([]), keys([]), what="things", where=Path("t"))
    check_same(keys([(1, 2), (3, 4)]), keys([(3, 4), (1, 2)]), what="things", where=Path("t"))


def test_keys_are_distinct_pairs_and_more() -> None:
    rows = rows_table(PROPOSALS, [proposal_row(2, 7, 0), proposal_row(2, 7, 1)])
    assert list(keys_of(rows, "bag_id")) == [(2, 7)]
    assert list(keys_of(rows, "bag_id", "proposal_id")) == [(2, 7, 0), (2, 7, 1)]
    assert not len(keys_of(rows.slice(0, 0), "bag_id"))


def test_a_null_is_no_key() -> None:
    rows = rows_table(WEAK_LABELS, [{"image_id": 1, "instance_id": None}])
    with pytest.raises(RuntimeError, match="a null among instance_id"):
        keys_of(rows, "instance_id")


@pytest.mark.parametrize("seed", range(5))
def test_they_are_as_sets_of_tuples(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, two = ({tuple(row) for row in rng.integers(-3, 3, (9, 2)).tolist()} for _ in range(2))
    here, there = keys(list(one)), keys(list(two))
    assert list(here) == sorted(one)
    assert list(here | there) == sorted(one | two)
    assert list(here - there) == sorted(one - two)
    assert list(here.of_images([0, 2])) == sorted(key for key in one if key[0] in (0, 2))
    assert list(joined([here, there, here])) == sorted(one | two)
    assert (here == there) == (one == two)
    assert here == keys([*one, *one])


def test_nothing_joined_is_nothing() -> None:
    assert joined([]) == keys([])
