"""select: one choice per bag, the same from one shard or two, resumed where it was cut."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from stages import select
from stages.methods.selectors import psm
from stages.tables.headers import read_header
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.table import boxes_of, read_table, read_tables, write_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.world import PSM, SHARDS, Rows, Run, World, changed, mixed_world


def choose(
    run: Run,
    out: Path,
    *,
    world: World | None = None,
    shard: int = 0,
    chunk: int = 256,
    **of_psm: Any,
) -> pa.Table:
    """Run the stage on a shard; `of_psm` are keys of the block."""
    text = json.dumps({"chunk": chunk, "psm": {**PSM, **of_psm}})
    flags = {"model": run.folder / "select.pt", "out": out, "settings": text}
    select.main((world or run.world).flags(shards=(shard,), shard=SHARDS[shard], **flags))
    return read_table(out, SELECTIONS)


def test_one_choice_per_bag_among_all_proposals(small_run: Run) -> None:
    world = small_run.world
    proposals = read_tables([world.folder / f"proposals-{i}.parquet" for i in (0, 1)], PROPOSALS)
    table = read_tables(small_run.selections, SELECTIONS)
    for name in ("image_id", "bag_id", "proposal_id"):
        assert table.column(name).equals(proposals.column(name))
    chosen = table.filter(table.column("selected"))
    assert chosen.column("bag_id").to_pylist() == sorted(world.true_masks)


def test_scores_are_what_they_say(small_run: Run) -> None:
    table = read_tables(small_run.selections, SELECTIONS)
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    world = small_run.world
    proposals = read_tables([world.folder / f"proposals-{i}.parquet" for i in (0, 1)], PROPOSALS)
    quality = proposals.column("predicted_iou").to_numpy()
    wanted = columns["score_cls"] * columns["score_ins"] * columns["score_dis"] * quality**2
    np.testing.assert_allclose(columns["score"], wanted, rtol=1e-5)
    for bag in np.unique(columns["bag_id"]):
        mine = columns["bag_id"] == bag
        base = columns["score_cls"][mine] * columns["score_ins"][mine]
        assert columns["score_ins"][mine].sum() == pytest.approx(1, abs=1e-5)
        assert columns["bag_score"][mine] == pytest.approx(base.sum(), abs=1e-5)
        best = columns["score"][mine].argmax()
        assert columns["selected"][mine].tolist() == [i == best for i in range(mine.sum())]


def test_the_class_is_that_of_the_label(small_run: Run) -> None:
    labels = read_table(small_run.world.folder / "weak_labels.parquet", WEAK_LABELS).to_pylist()
    classes = {row["bag_id"]: row["category_id"] for row in labels}
    for row in read_tables(small_run.selections, SELECTIONS).to_pylist():
        assert row["category_id"] == classes[row["bag_id"]]
        assert row["box"] is None


def test_one_shard_gives_the_rows_of_two(small_run: Run, tmp_path: Path) -> None:
    world = changed(
        small_run.world, tmp_path / "world", images=lambda rows: [{**r, "shard": 0} for r in rows]
    )
    paths = [world.folder / f"proposals-{i}.parquet" for i in (0, 1)]
    whole = read_tables(paths, PROPOSALS)
    write_table(paths[0], whole, PROPOSALS, {})
    assert choose(small_run, tmp_path / "one.parquet", world=world).equals(
        read_tables(small_run.selections, SELECTIONS)
    )


def cut_after(count: int, asked: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """As kill does: stop before image number `count` + 1; `asked` gets the ids."""
    scores = psm.Psm.scores

    def cut(self: Any, image: Any, *rows: pa.Table) -> pa.Table:
        asked.append(image["image_id"])
        if len(asked) == count + 1:
            raise KeyboardInterrupt
        return scores(self, image, *rows)

    monkeypatch.setattr(psm.Psm, "scores", cut)


def test_killed_shard_goes_on_where_it_was_cut(
    small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(small_run, tmp_path / "whole.parquet", chunk=1)
    asked: list[int] = []
    cut_after(2, asked, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        choose(small_run, tmp_path / "cut.parquet", chunk=1)
    choose(small_run, tmp_path / "cut.parquet", chunk=1)
    assert asked == [1, 3, 5, 5]
    assert (tmp_path / "cut.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def moved(image_id: int) -> Callable[[Rows], Rows]:
    """The points of an image moved by a pixel."""
    return lambda rows: [
        {**row, "x": row["x"] + (row["image_id"] == image_id) * 1.0} for row in rows
    ]


RESUMED = [("another shard's", 2, [5]), ("this shard's", 1, [1, 3, 5])]


@pytest.mark.parametrize(("image", "again"), [r[1:] for r in RESUMED], ids=[r[0] for r in RESUMED])
def test_parts_are_thrown_away_only_where_labels_of_the_shard_changed(
    small_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    image: int,
    again: list[int],
) -> None:
    asked: list[int] = []
    cut_after(2, asked, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        choose(small_run, tmp_path / "cut.parquet", chunk=1)
    asked[:] = [0, 0, 0]
    other = changed(small_run.world, tmp_path / "world", weak_labels=moved(image))
    choose(small_run, tmp_path / "cut.parquet", world=other, chunk=1)
    assert asked[3:] == again


def test_provenance_names_no_path(small_run: Run) -> None:
    header = read_header(small_run.selections[0])
    assert header["stage"] == "stages.select"
    assert "/" not in json.dumps(header["settings"])
    assert len(header["fitted"]) == 64


def with_proposals(world: World, folder: Path, change: Callable[[Rows], Rows]) -> World:
    """The world with another first shard of proposals."""
    return changed(world, folder, proposals_0=change)


def test_empty_masks_are_never_chosen_while_there_are_others(
    small_run: Run, tmp_path: Path
) -> None:
    def only_last(rows: Rows) -> Rows:
        return [{**row, "valid": row["proposal_id"] == 11, "predicted_iou": -1.0} for row in rows]

    world = with_proposals(small_run.world, tmp_path / "world", only_last)
    table = choose(small_run, tmp_path / "out.parquet", world=world)
    chosen = table.filter(table.column("selected"))
    assert pc.unique(chosen.column("proposal_id")).to_pylist() == [11]


def test_a_bag_of_empty_masks_gives_its_first(
    small_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def none_of_the_first(rows: Rows) -> Rows:
        return [{**row, "valid": row["bag_id"] != rows[0]["bag_id"]} for row in rows]

    world = with_proposals(small_run.world, tmp_path / "world", none_of_the_first)
    table = choose(small_run, tmp_path / "out.parquet", world=world)
    chosen = table.filter(table.column("selected")).to_pylist()
    assert chosen[0]["proposal_id"] == 0
    assert np.isfinite(table.column("score").to_numpy()).all()
    assert "1 with empty masks only" in capsys.readouterr().err


def test_an_object_without_a_bag_is_refused(small_run: Run, tmp_path: Path) -> None:
    def without(rows: Rows) -> Rows:
        return [row for row in rows if row["bag_id"] != rows[0]["bag_id"] and row["image_id"] != 3]

    world = with_proposals(small_run.world, tmp_path / "world", without)
    lost = sum(i // 100 == 3 for i in world.true_masks) + 1
    with pytest.raises(ValueError, match=rf"proposals-0\.parquet: {lost} bags are missing"):
        choose(small_run, tmp_path / "out.parquet", world=world)


def test_rows_of_another_shard_are_refused(small_run: Run, tmp_path: Path) -> None:
    world = changed(small_run.world, tmp_path / "world")
    shutil.copy(world.folder / "proposals-1.parquet", world.folder / "proposals-0.parquet")
    with pytest.raises(ValueError, match=r"proposals-0\.parquet: it holds shard 0001-of-0002"):
        choose(small_run, tmp_path / "out.parquet", world=world)


def test_a_photograph_that_was_replaced_is_refused(small_run: Run, tmp_path: Path) -> None:
    world = changed(small_run.world, tmp_path / "world")
    shutil.copy(world.folder / "3.png", world.folder / "1.png")
    with pytest.raises(ValueError, match=r"1\.png.*replaced"):
        choose(small_run, tmp_path / "out.parquet", world=world)


def test_boxes_and_points_get_choices_and_masks_get_none(small_run: Run, tmp_path: Path) -> None:
    world = mixed_world(small_run.world, tmp_path / "world")
    labels = read_table(world.folder / "weak_labels.parquet", WEAK_LABELS).to_pylist()
    table = choose(small_run, tmp_path / "out.parquet", world=world)
    wanted = {r["bag_id"] for r in labels if r["kind"] != "mask" and r["image_id"] % 2}
    assert set(table.column("bag_id").to_pylist()) == wanted
    assert sum(table.column("selected").to_pylist()) == len(wanted)


@pytest.mark.parametrize("images", ["no images", "no labels"])
def test_an_empty_shard_opens_no_network(
    small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: str
) -> None:
    def none(rows: Rows) -> Rows:
        return [row for row in rows if row["image_id"] % 2 == 0]

    tables = {"weak_labels": none, "proposals_0": none}
    tables |= {"images": none} if images == "no images" else {}
    world = changed(small_run.world, tmp_path / "world", **tables)
    monkeypatch.setattr(psm, "opened_selector", lambda *_: pytest.fail("opened"))
    assert len(choose(small_run, tmp_path / "out.parquet", world=world)) == 0
    header = read_header(tmp_path / "out.parquet")
    whole = read_header(small_run.selections[0])
    assert header["shard"] == whole["shard"] == "0000-of-0002"
    assert header["fitted"] == whole["fitted"]


def test_bags_of_unequal_lengths_are_not_padded_in_the_table(
    small_run: Run, tmp_path: Path
) -> None:
    def shorter(rows: Rows) -> Rows:
        return [row for row in rows if row["proposal_id"] <= row["bag_id"] % 12]

    world = with_proposals(small_run.world, tmp_path / "world", shorter)
    proposals = read_table(world.folder / "proposals-0.parquet", PROPOSALS)
    table = choose(small_run, tmp_path / "out.parquet", world=world)
    assert table.column("proposal_id").equals(proposals.column("proposal_id"))
    full = read_table(small_run.selections[0], SELECTIONS)
    assert len(boxes_of(proposals)) == len(table) < len(full)


def test_a_model_of_other_features_is_refused(small_run: Run, tmp_path: Path) -> None:
    other = {**PSM["features"], "hidden": 40}
    with pytest.raises(ValueError, match="does not fit"):
        choose(small_run, tmp_path / "out.parquet", features=other)


def test_a_missing_model_is_refused(small_run: Run, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"select\.pt.*missing"):
        choose(Run(small_run.world, tmp_path), tmp_path / "out.parquet")


def test_psm_without_a_model_is_refused(small_world: World, tmp_path: Path) -> None:
    words = small_world.flags(shards=(0,), out=tmp_path / "s.parquet", shard="0000-of-0002")
    with pytest.raises(ValueError, match=r"select\.method psm needs --model"):
        select.main(words)


def test_a_choice_without_learning_needs_no_model(small_world: World, tmp_path: Path) -> None:
    flags = {"out": tmp_path / "s.parquet", "settings": json.dumps({"method": "sam_top1"})}
    select.main(small_world.flags(shards=(0,), shard=SHARDS[0], **flags))
    table = read_table(tmp_path / "s.parquet", SELECTIONS)
    bags = [i for i in small_world.true_masks if i // 100 % 2]
    assert table.filter(table.column("selected")).column("bag_id").to_pylist() == bags
    header = read_header(tmp_path / "s.parquet")
    assert header["settings"] == {"method": "sam_top1", "chunk": 256}
    names = {code.split("@")[0] for code in header["code"]}
    assert "stages.methods.selectors.trivial" in names
    assert not names & {"stages.learning.two_branch", "stages.learning.trainer", "stages.mil.psm"}


def test_the_header_tells_what_the_rows_depend_on(small_run: Run) -> None:
    header = read_header(small_run.selections[1])
    assert header["shard"] == "0001-of-0002"
    assert set(header["settings"]) == {"method", "chunk", "psm"}
    assert header["propose_settings"]["segmenter"] == "sam"
    assert any("selectors.psm" in code for code in header["code"])
    assert not any("selectors.trivial" in code for code in header["code"])
    assert not any("backbone" in code or "refine" in code for code in header["code"])
