"""fit_select and select with image tags: OICR and MIST on whole tables."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch

from stages import fit_select, select
from stages.learning import oicr_step
from stages.learning.model_file import load_model
from stages.methods.selectors import oicr
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.table import read_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.vgg_file import write_vgg
from tests.world import PSM, SHARDS, Rows, World, changed, tag_world

HEAVY = {"supervision": "oicr_top1"}
DROP = {"drop_block": {"enabled": True}}
DROPOUT = {"features": {**PSM["features"], "dropout": 0.5}}
METHODS = [
    ("oicr", {}),
    ("oicr", HEAVY),
    ("oicr", {"supervision": "mist", "branches": 0}),
    ("mist", {}),
    ("mist", {**DROP, "flip": True}),
]
IDS = ["oicr", "top1", "no branches", "mist", "drop block"]


def text(method: str, **more: Any) -> str:
    """JSON of section `select`."""
    training = {**PSM["training"], **more.pop("training", {})}
    return json.dumps({"method": method, method: {**PSM, **more, "training": training}})


def fit(world: World, folder: Path, method: str = "oicr", name: str = "m", **more: Any) -> bytes:
    """Train into `folder`; `more` are keys of the method's block."""
    out = {"out": folder / f"{name}.pt", "out_log": folder / f"{name}.jsonl"}
    fit_select.main(world.flags(**out, settings=text(method, **more)))
    return out["out"].read_bytes()


def choose(
    world: World, folder: Path, method: str, *, shard: int = 0, model: bool = True, **more: Any
) -> pa.Table:
    """Run select on a shard."""
    out = folder / f"selections-{shard}.parquet"
    given: dict[str, Any] = {"out": out, "settings": text(method, **more)}
    given |= {"model": folder / "m.pt"} if model else {}
    select.main(world.flags(shards=(shard,), shard=SHARDS[shard], **given))
    return read_table(out, SELECTIONS)


@pytest.fixture(scope="module")
def tags(small_world: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    return tag_world(small_world, tmp_path_factory.mktemp("tags"))


@pytest.mark.parametrize(("method", "more"), METHODS, ids=IDS)
def test_every_proposal_has_a_row_for_every_tag(
    tags: World, tmp_path: Path, method: str, more: dict[str, Any]
) -> None:
    fit(tags, tmp_path, method, **more)
    table = choose(tags, tmp_path, method, **more)
    proposals = read_table(tags.folder / "proposals-0.parquet", PROPOSALS)
    labels = read_table(tags.folder / "weak_labels.parquet", WEAK_LABELS).to_pylist()
    for image_id in proposals.column("image_id").unique().to_pylist():
        classes = sorted(row["category_id"] for row in labels if row["image_id"] == image_id)
        count = pc.sum(pc.equal(proposals.column("image_id"), image_id)).as_py()
        mine = table.filter(pc.equal(table.column("image_id"), image_id))
        keys = list(
            zip(mine["proposal_id"].to_pylist(), mine["category_id"].to_pylist(), strict=True)
        )
        assert keys == [(number, c) for number in range(count) for c in classes]
        chosen = mine.filter(mine.column("selected"))
        assert set(chosen["category_id"].to_pylist()) == set(classes)
    assert (table.column("box").null_count == 0) == (method == "mist")


@pytest.mark.parametrize("method", ["oicr", "mist"])
def test_the_log_tells_what_the_loss_is_made_of(tags: World, tmp_path: Path, method: str) -> None:
    fit(tags, tmp_path, method)
    lines = [json.loads(line) for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    assert len(lines) == 9  # 3 epochs of 3 steps
    for line in lines:
        parts = line["loss_mil"] + line["loss_refine"] + line["loss_box"]
        assert line["loss"] == pytest.approx(parts, rel=1e-5)
        assert 0 < line["image_score"] <= 1
        assert 0 < line["foreground"] <= 1
    assert any(line["loss_box"] > 0 for line in lines) == (method == "mist")


@pytest.mark.parametrize("more", [{}, DROP, DROPOUT], ids=["plain", "drop block", "dropout"])
def test_killed_training_ends_with_the_same_bytes(
    tags: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    wanted, steps = fit(tags, tmp_path, "mist", "whole", **more), list[int]()
    monkeypatch.setattr(oicr_step, "step_loss", cut_at(5, steps))
    with pytest.raises(KeyboardInterrupt):
        fit(tags, tmp_path, "mist", "killed", **more)
    assert fit(tags, tmp_path, "mist", "killed", **more) == wanted
    assert len(steps) == 5 + 5  # resumed at step 4 of 9


LOSS = oicr_step.step_loss


def cut_at(count: int, steps: list[int]) -> Callable[..., Any]:
    """As kill does: stop in step `count` from 1, once."""

    def loss(*args: Any, **kwargs: Any) -> Any:
        steps.append(len(steps))
        if len(steps) == count:
            raise KeyboardInterrupt
        return LOSS(*args, **kwargs)

    return loss


def test_dropout_changes_what_is_learned(tags: World, tmp_path: Path) -> None:
    plain = fit(tags, tmp_path, "oicr", "plain", training={"epochs": 1})
    assert fit(tags, tmp_path, "oicr", "dropped", training={"epochs": 1}, **DROPOUT) != plain


@pytest.mark.parametrize("method", ["oicr", "mist"])
def test_a_vgg_is_trained_and_its_first_blocks_stay(
    tags: World, tmp_path: Path, method: str
) -> None:
    path = write_vgg(tmp_path / "vgg16.pth")
    sides = {"short_side": 32, "long_side": 64, "hidden": 16, "roi_size": 2, "dropout": 0.5}
    more = {
        "features": {"source": "vgg16", "weights": str(path), **sides},
        **(DROP if method == "mist" else {}),
        "training": {"epochs": 1, "lr": 1e-4},
    }
    fit(tags, tmp_path, method, **more)
    state, before = load_model(tmp_path / "m.pt")[0], torch.load(path, weights_only=True)
    same = {
        name: torch.equal(state[f"maps.{name}"], before[name])
        for name in before
        if name.startswith("features.") and name.endswith("weight")
    }
    stays = {f"features.{place}.weight" for place in (0, 2, 5, 7)}
    assert {name for name in same if same[name]} == stays
    assert len(choose(tags, tmp_path, method, **more))


def test_keys_of_the_choice_train_nothing_anew(tags: World, tmp_path: Path) -> None:
    plain = fit(tags, tmp_path, "oicr", "plain", training={"epochs": 1})
    keys = {"size_exponent": 0.5, "quality_exponent": 1.0, "nms": 0.5, "flip": True}
    assert fit(tags, tmp_path, "oicr", "other", training={"epochs": 1}, **keys) == plain
    _, header = load_model(tmp_path / "plain.pt")
    assert any("oicr_step" in code for code in header["code"])
    assert not any("select_step" in code for code in header["code"])


def test_bags_of_objects_are_refused(small_world: World, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"bag \d+ is of one object.* prepare\.labels: tag"):
        fit(small_world, tmp_path)


def test_bags_of_tags_are_refused_by_psm(tags: World, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"bag -1"):
        fit(tags, tmp_path, "psm")


def test_an_image_without_its_bag_is_refused(tags: World, tmp_path: Path) -> None:
    def without(rows: Rows) -> Rows:
        return [row for row in rows if row["image_id"] != 1]

    cut = changed(tags, tmp_path / "world", proposals_0=without)
    with pytest.raises(ValueError, match=r"1 bags are missing .*\(1, -1\)"):
        fit(cut, tmp_path)


def test_a_class_that_was_deleted_has_no_row(tags: World, tmp_path: Path) -> None:
    labels = read_table(tags.folder / "weak_labels.parquet", WEAK_LABELS).to_pylist()
    gone = next(row for row in labels if row["image_id"] == 1)

    def deleted(rows: Rows) -> Rows:
        return [{**r, "status": "deleted"} if r == gone else r for r in rows]

    fewer = changed(tags, tmp_path / "world", weak_labels=deleted)
    fit(fewer, tmp_path, training={"epochs": 1})
    table = choose(fewer, tmp_path, "oicr")
    mine = table.filter(pc.equal(table.column("image_id"), 1))
    left = {row["category_id"] for row in labels if row["image_id"] == 1} - {gone["category_id"]}
    assert set(mine["category_id"].to_pylist()) == left


def test_a_selector_that_leaves_low_scores_out_is_our_fault(
    tags: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = oicr.TagSelector.scores

    def high(self: Any, *given: Any) -> pa.Table:
        table = rows(self, *given)
        middle = np.median(table.column("score").to_numpy())
        return table.filter(pc.greater(table.column("score"), float(middle)))

    fit(tags, tmp_path, training={"epochs": 1})
    monkeypatch.setattr(oicr.TagSelector, "scores", high)
    with pytest.raises(RuntimeError, match="did not score every proposal"):
        choose(tags, tmp_path, "oicr")


@pytest.mark.parametrize("method", ["sam_top1", "largest"])
def test_what_learns_nothing_chooses_one_for_each_tag(
    tags: World, tmp_path: Path, method: str
) -> None:
    out = tmp_path / "s.parquet"
    settings = json.dumps({"method": method})
    select.main(tags.flags(shards=(0,), shard=SHARDS[0], out=out, settings=settings))
    table = read_table(out, SELECTIONS)
    chosen = table.filter(table.column("selected"))
    labels = read_table(tags.folder / "weak_labels.parquet", WEAK_LABELS).to_pylist()
    images = set(table.column("image_id").to_pylist())
    wanted = [(r["image_id"], r["category_id"]) for r in labels if r["image_id"] in images]
    keys = (chosen["image_id"].to_pylist(), chosen["category_id"].to_pylist())
    assert sorted(zip(*keys, strict=True)) == sorted(wanted)


def test_one_shard_gives_the_rows_of_two(tags: World, tmp_path: Path) -> None:
    fit(tags, tmp_path, "mist", training={"epochs": 1})
    two = [choose(tags, tmp_path, "mist", shard=shard) for shard in (0, 1)]
    whole = pa.concat_tables(two).sort_by([(name, "ascending") for name in SELECTIONS.key])

    again = choose(tags, tmp_path, "mist")
    ids = again.column("image_id").unique()
    assert again.equals(whole.filter(pc.is_in(whole.column("image_id"), ids)))
