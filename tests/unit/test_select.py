"""select: one choice per instance, the same from one shard or two, resumed where it was cut."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from stages import select
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.table import (
    boxes_of,
    read_header,
    read_table,
    read_tables,
    table_of,
    write_table,
)

SMALL = {
    "features": {"channels": 16, "hidden": 32, "roi_size": 3},
    "training": {"epochs": 3, "batch_images": 2, "warmup": 2, "checkpoint_every": 2},
}


def choose(
    run: Any, out: Path, *, shard: str = "0000-of-0002", world: Any = None, **settings: Any
) -> pa.Table:
    world = world or run.world
    shared = {"chunk": settings.pop("chunk")} if "chunk" in settings else {}
    text = json.dumps({**shared, "psm": {**SMALL, **settings}})
    flags = {"model": run.folder / "select.pt", "out": out, "shard": shard, "settings": text}
    select.main(world.flags(shards=(0,), **flags))
    return read_table(out, SELECTIONS)


def test_one_choice_per_instance_among_all_proposals(small_run: Any) -> None:
    world = small_run.world
    proposals = read_tables([world.folder / f"proposals-{i}.parquet" for i in (0, 1)], PROPOSALS)
    table = read_tables(small_run.selections, SELECTIONS)
    for name in ("image_id", "instance_id", "proposal_id"):
        assert table.column(name).equals(proposals.column(name))
    chosen = table.filter(table.column("selected"))
    assert chosen.column("instance_id").to_pylist() == sorted(world.true_masks)


def test_scores_are_what_they_say(small_run: Any) -> None:
    table = read_tables(small_run.selections, SELECTIONS)
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    world = small_run.world
    proposals = read_tables([world.folder / f"proposals-{i}.parquet" for i in (0, 1)], PROPOSALS)
    quality = proposals.column("sam_score").to_numpy()
    wanted = columns["score_cls"] * columns["score_ins"] * columns["score_dis"] * quality**2
    np.testing.assert_allclose(columns["score"], wanted, rtol=1e-5)
    for instance in np.unique(columns["instance_id"]):
        mine = columns["instance_id"] == instance
        base = columns["score_cls"][mine] * columns["score_ins"][mine]
        assert columns["score_ins"][mine].sum() == pytest.approx(1, abs=1e-5)
        assert columns["bag_score"][mine] == pytest.approx(base.sum(), abs=1e-5)
        best = columns["score"][mine].argmax()
        assert columns["selected"][mine].tolist() == [i == best for i in range(mine.sum())]


def test_one_shard_gives_the_rows_of_two(small_run: Any, tmp_path: Path) -> None:
    world = small_run.world
    images = read_table(world.folder / "images.parquet", IMAGES)
    rows = {name: images.column(name).to_pylist() for name in images.column_names}
    whole = table_of(IMAGES, {**rows, "shard": [0] * len(images)})
    write_table(tmp_path / "images.parquet", whole, IMAGES, {})
    flags = world.flags(
        model=small_run.folder / "select.pt",
        out=tmp_path / "one.parquet",
        shard="0000-of-0001",
        settings=json.dumps({"psm": SMALL}),
    )
    flags[flags.index("--images") + 1] = str(tmp_path / "images.parquet")
    select.main(flags)
    assert read_table(tmp_path / "one.parquet", SELECTIONS).equals(
        read_tables(small_run.selections, SELECTIONS)
    )


def test_killed_shard_goes_on_where_it_was_cut(
    small_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(small_run, tmp_path / "whole.parquet", chunk=1)
    asked: list[int] = []
    call = select.ImageSelector.__call__

    def cut(self: Any, image_id: int) -> pa.Table:
        asked.append(image_id)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return call(self, image_id)

    monkeypatch.setattr(select.ImageSelector, "__call__", cut)
    with pytest.raises(KeyboardInterrupt):
        choose(small_run, tmp_path / "cut.parquet", chunk=1)
    choose(small_run, tmp_path / "cut.parquet", chunk=1)
    assert asked == [1, 3, 5, 5]
    assert (tmp_path / "cut.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_provenance_names_no_path(small_run: Any) -> None:
    header = read_header(small_run.selections[0])
    assert header["stage"] == "stages.select"
    assert "/" not in json.dumps(header["settings"])
    assert len(header["fitted"]) == 64


def with_proposals(world: Any, folder: Path, change: Any) -> Any:
    """The world with another first shard of proposals: `change` gets its columns."""
    table = read_table(world.folder / "proposals-0.parquet", PROPOSALS)
    rows = change(table.to_pylist())
    shutil.copytree(world.folder, folder, dirs_exist_ok=True)
    changed = pa.Table.from_pylist(rows, PROPOSALS.schema)
    write_table(folder / "proposals-0.parquet", changed, PROPOSALS, {})
    return type(world)(folder, world.sam, world.true_masks)


def test_empty_masks_are_never_chosen_while_there_are_others(
    small_run: Any, tmp_path: Path
) -> None:
    def only_last(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "valid": row["proposal_id"] == 11, "sam_score": -1.0} for row in rows]

    world = with_proposals(small_run.world, tmp_path, only_last)
    table = choose(small_run, tmp_path / "out.parquet", world=world)
    chosen = table.filter(table.column("selected"))
    assert pc.unique(chosen.column("proposal_id")).to_pylist() == [11]


def test_a_bag_of_empty_masks_gives_its_first(
    small_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def none_of_the_first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "valid": row["instance_id"] != rows[0]["instance_id"]} for row in rows]

    world = with_proposals(small_run.world, tmp_path, none_of_the_first)
    table = choose(small_run, tmp_path / "out.parquet", world=world)
    chosen = table.filter(table.column("selected")).to_pylist()
    assert chosen[0]["proposal_id"] == 0
    assert np.isfinite(table.column("score").to_numpy()).all()
    assert "1 with empty masks only" in capsys.readouterr().err


def test_instances_and_images_without_proposals_are_counted(
    small_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def without(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        gone = rows[0]["instance_id"]
        return [row for row in rows if row["instance_id"] != gone and row["image_id"] != 3]

    world = with_proposals(small_run.world, tmp_path, without)
    table = choose(small_run, tmp_path / "out.parquet", world=world)
    assert 3 not in table.column("image_id").to_pylist()
    lost = sum(i // 100 == 3 for i in world.true_masks) + 1
    assert f"{lost} without proposals" in capsys.readouterr().err


def test_bags_of_unequal_lengths_are_not_padded_in_the_table(
    small_run: Any, tmp_path: Path
) -> None:
    def shorter(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for row in rows if row["proposal_id"] <= row["instance_id"] % 12]

    world = with_proposals(small_run.world, tmp_path, shorter)
    proposals = read_table(tmp_path / "proposals-0.parquet", PROPOSALS)
    table = choose(small_run, tmp_path / "out.parquet", world=world)
    assert table.column("proposal_id").equals(proposals.column("proposal_id"))
    full = read_table(small_run.selections[0], SELECTIONS)
    assert len(boxes_of(proposals)) == len(table) < len(full)


def test_a_model_of_other_features_is_refused(small_run: Any, tmp_path: Path) -> None:
    other = {**SMALL["features"], "hidden": 40}
    with pytest.raises(ValueError, match="does not fit"):
        choose(small_run, tmp_path / "out.parquet", features=other)


def test_a_missing_model_is_refused(small_run: Any, tmp_path: Path) -> None:
    flags = {"model": tmp_path / "no.pt", "out": tmp_path / "o.parquet", "shard": "0000-of-0002"}
    with pytest.raises(ValueError, match=r"no\.pt.*missing"):
        select.main(
            small_run.world.flags(shards=(0,), **flags, settings=json.dumps({"psm": SMALL}))
        )


TRIVIAL = [
    ("sam_top1", lambda bag: bag.column("sam_score").to_numpy().argmax()),
    ("largest", lambda bag: bag.column("area").to_numpy().argmax()),
    ("fixed_slot_3", lambda bag: 2),
]


@pytest.mark.parametrize(("method", "wanted"), TRIVIAL, ids=[name for name, _ in TRIVIAL])
def test_a_choice_without_learning_needs_no_model(
    small_world: Any, tmp_path: Path, method: str, wanted: Any
) -> None:
    flags = {"out": tmp_path / "s.parquet", "shard": "0000-of-0002"}
    words = small_world.flags(shards=(0,), settings=json.dumps({"method": method}), **flags)
    select.main(words)
    table = read_table(tmp_path / "s.parquet", SELECTIONS)
    proposals = read_table(small_world.folder / "proposals-0.parquet", PROPOSALS)
    for instance in set(proposals.column("instance_id").to_pylist()):
        bag = proposals.filter(pc.equal(proposals.column("instance_id"), instance))
        rows = table.filter(pc.equal(table.column("instance_id"), instance))
        assert rows.column("selected").to_numpy().nonzero()[0].tolist() == [wanted(bag)]
        chosen = bag.column("sam_score")[int(wanted(bag))].as_py()
        assert rows.column("bag_score").to_pylist() == [chosen] * len(bag)


def test_psm_without_a_model_is_refused(small_world: Any, tmp_path: Path) -> None:
    words = small_world.flags(shards=(0,), out=tmp_path / "s.parquet", shard="0000-of-0002")
    with pytest.raises(ValueError, match=r"select\.method psm needs --model"):
        select.main(words)
