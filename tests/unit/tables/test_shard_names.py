"""Names of shards: with their total, and back to the number."""

import pytest

from stages.tables.shard_names import shard_names, shard_number


@pytest.mark.parametrize(
    ("count", "names"), [(1, ["0000-of-0001"]), (2, ["0000-of-0002", "0001-of-0002"])]
)
def test_shards_have_their_total_in_the_name(count: int, names: list[str]) -> None:
    assert list(shard_names(count)) == names
    assert [shard_number(name) for name in names] == list(range(count))
