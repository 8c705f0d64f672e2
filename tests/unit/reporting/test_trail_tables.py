"""The tables of a trail: in which shard an image is, and what is not there yet."""

from pathlib import Path

import pytest

from stages.reporting.trail_tables import TOLD, TrailTables, incomplete, missing, shard_with
from stages.tables.images import shard_of
from stages.tables.shard_names import shard_names

SHARDS = [Path(f"shard-{name}.parquet") for name in shard_names(4)]


@pytest.mark.parametrize("image_id", range(6))
def test_an_image_is_in_the_shard_that_its_id_deals(image_id: int) -> None:
    assert shard_with(SHARDS, image_id) == SHARDS[shard_of(image_id, 4)]
    others = [path for path in SHARDS if path != SHARDS[shard_of(image_id, 4)]]
    assert shard_with(others, image_id) is None


def test_a_table_of_another_name_holds_all_images() -> None:
    assert shard_with([], 3) is None
    assert shard_with([Path("proposals.parquet")], 3) == Path("proposals.parquet")


def test_what_is_missing_is_told_by_stage_and_by_shard() -> None:
    none = TrailTables(*map(Path, "iwc"))
    assert missing(none, TOLD, 3) == list(TOLD)
    mine = shard_of(3, 4)
    others = [path for k, path in enumerate(SHARDS) if k != mine]
    some = TrailTables(*map(Path, "iwc"), proposals=SHARDS, selections=others)
    wanted = [f"shard {shard_names(4)[mine]} of select", "refine", "grade"]
    assert missing(some, TOLD[1:], 3) == wanted


@pytest.mark.parametrize(
    ("paths", "said"),
    [(SHARDS, None), (SHARDS[:3], "3 of 4 shards"), ([Path("t.parquet")], None)],
    ids=["all", "some", "one for all"],
)
def test_shards_that_are_not_all_there_are_counted(paths: list[Path], said: str | None) -> None:
    assert incomplete(paths) == said
