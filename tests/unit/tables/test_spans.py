"""Runs of equal keys: where they begin and end."""

import numpy as np
import pytest

from stages.tables.spans import rows_by, runs
from tests.bag_tables import ROWS, proposals

CASES = [
    ("none", [], {}),
    ("one", [4], {4: (0, 1)}),
    ("all equal", [4, 4, 4], {4: (0, 3)}),
    ("all different", [1, 2, -3], {1: (0, 1), 2: (1, 2), -3: (2, 3)}),
    ("some", [7, 7, 9, 9, 9, 8], {7: (0, 2), 9: (2, 5), 8: (5, 6)}),
]


@pytest.mark.parametrize(("keys", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_runs_tell_where_equal_keys_stand(keys: list[int], wanted: dict[int, object]) -> None:
    seen = runs(np.array(keys, dtype=np.int64))
    assert seen == wanted
    assert list(seen) == list(wanted)


def test_rows_are_split_without_losing_any() -> None:
    table = proposals(ROWS)
    parts = rows_by(table, "bag_id")
    assert {key: len(rows) for key, rows in parts.items()} == {5: 3, 6: 1, 7: 1}
    assert parts[6].column("image_id").to_pylist() == [1]
    assert rows_by(table.slice(0, 0), "bag_id") == {}
