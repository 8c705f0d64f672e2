"""One shard: its own images and labels alone, and tables that add up before work begins."""

from pathlib import Path

import pytest

from stages.learning.shard import checked_bags, opened_shard, walked
from stages.tables.proposals import PROPOSALS
from stages.tables.table import read_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.world import SHARDS, Rows, World, changed


def test_a_shard_knows_its_own_images_and_labels(small_world: World) -> None:
    labels = read_table(small_world.folder / "weak_labels.parquet", WEAK_LABELS)
    for number, name in enumerate(SHARDS):
        shard = opened_shard(
            small_world.folder / "images.parquet", small_world.folder / "weak_labels.parquet", name
        )
        assert shard.image_ids == [number + 1, number + 3, number + 5]
        assert list(shard.labels_of) == shard.image_ids
        wanted = [r for r in labels.to_pylist() if r["image_id"] in shard.images]
        assert shard.labels.to_pylist() == wanted
        bags = checked_bags(shard, small_world.folder / f"proposals-{number}.parquet")
        assert bags.column_names == ["image_id", "bag_id", "proposal_id", "valid"]


def deciding(world: World) -> list[str]:
    images, labels = world.folder / "images.parquet", world.folder / "weak_labels.parquet"
    return opened_shard(images, labels, SHARDS[0]).deciding()


def test_only_rows_of_the_shard_decide(small_world: World, tmp_path: Path) -> None:
    def clicked(image_id: int) -> World:
        def move(rows: Rows) -> Rows:
            return [{**r, "x": r["x"] + 1.0} if r["image_id"] == image_id else r for r in rows]

        return changed(small_world, tmp_path / f"{image_id}", weak_labels=move)

    assert deciding(clicked(2)) == deciding(small_world)
    assert deciding(clicked(1)) != deciding(small_world)


def test_another_photograph_or_name_decides(small_world: World, tmp_path: Path) -> None:
    for name in ("digest", "file_name"):
        other = changed(
            small_world,
            tmp_path / name,
            images=lambda rows, name=name: [{**r, name: "x"} for r in rows],
        )
        assert deciding(other) != deciding(small_world)


def test_labels_of_no_image_are_an_empty_table(small_world: World, tmp_path: Path) -> None:
    world = changed(small_world, tmp_path, weak_labels=lambda rows: rows[:0])
    images, labels = world.folder / "images.parquet", world.folder / "weak_labels.parquet"
    shard = opened_shard(images, labels, SHARDS[0])
    assert len(shard.labels) == 0
    assert shard.labels.schema.equals(WEAK_LABELS.schema)
    with pytest.raises(ValueError, match="bags are unknown"):
        checked_bags(shard, world.folder / "proposals-0.parquet")


def test_bags_are_walked_image_by_image(small_world: World) -> None:
    path = small_world.folder / "proposals-0.parquet"
    cursor = walked(path, PROPOSALS, ("predicted_iou",))
    assert cursor.rows(2) is None
    rows = cursor.rows(3)
    assert rows is not None
    assert set(rows.column("image_id").to_pylist()) == {3}
    assert "rle" not in rows.column_names
