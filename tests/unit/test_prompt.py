"""prompt: neither shards nor kills change rows; they depend on their image and the model alone."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from stages import fit_prompt, prompt
from stages.learning.conv_clues import ConvClues
from stages.methods.prompters.clues import Clues
from stages.runtime.provenance import sha256_of
from stages.settings.overrides import laid_over
from stages.tables.headers import read_header
from stages.tables.prompts import PROMPTS
from stages.tables.table import read_table, read_tables
from tests.tagged import CONV, SOURCES, VIT, flags, tagged
from tests.world import SHARDS, Rows, World, changed

ALL = {"sources": [{"source": "clues", "maps": ["coarse", "fine", "cross"], "kernel": 33}]}


@pytest.fixture(scope="module")
def world(small_world: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Image 2 has no tags."""
    return tagged(small_world, tmp_path_factory.mktemp("tagged"), but=2)


@pytest.fixture(scope="module")
def models(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    for settings in (CONV, VIT):
        out = {"out": folder / f"{settings['network']}.pt", "out_log": folder / "log.jsonl"}
        fit_prompt.main(flags(world, settings=settings, **out))
    return {name: folder / f"{name}.pt" for name in ("conv", "vit")}


def asked(world: World, out: Path, model: Path, shard: str = SHARDS[0], **more: Any) -> Path:
    given = {"settings": SOURCES, "fit_settings": CONV, **more}
    prompt.main(flags(world, out=out, shard=shard, model=model, **given))
    return out


def rows_of(*paths: Path) -> Rows:
    rows: Rows = read_tables(paths, PROMPTS).to_pylist()
    return rows


def test_the_table_has_a_bag_for_each_image_with_tags(
    world: World, models: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = asked(world, tmp_path / "0.parquet", models["conv"])
    rows = rows_of(out)
    assert {row["bag_id"] for row in rows} == {-1}
    assert {row["image_id"] for row in rows} <= {1, 3, 5}
    assert {row["source_map"] for row in rows} == {"coarse"}
    header = read_header(out)
    assert header["stage"] == "stages.prompt"
    assert header["fitted"] == sha256_of(models["conv"])
    assert str(world.folder) not in json.dumps(header)
    for name in ("prompters.clues", "conv_clues", "sam_inputs", "mil.peaks"):
        assert any(name in code for code in header["code"])
    assert not any("vit_clues" in code for code in header["code"])
    peaks = sum(row["kind"] == "peak" for row in rows)
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"3 images, 0 without tags, {len(rows)} prompts; peaks: {peaks} coarse" in said


def test_images_without_tags_are_counted(
    world: World, models: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = asked(world, tmp_path / "1.parquet", models["conv"], SHARDS[1])
    assert 2 not in {row["image_id"] for row in rows_of(out)}
    assert "3 images, 1 without tags" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "sources"), [(CONV, SOURCES), (VIT, ALL)], ids=["conv", "vit"]
)
def test_one_shard_and_two_give_the_same_rows(
    world: World,
    models: dict[str, Path],
    tmp_path: Path,
    settings: dict[str, Any],
    sources: dict[str, Any],
) -> None:
    whole = changed(
        world, tmp_path / "whole", images=lambda rows: [{**r, "shard": 0} for r in rows]
    )
    model, more = models[settings["network"]], {"fit_settings": settings, "settings": sources}
    one = asked(whole, tmp_path / "one.parquet", model, "0000-of-0001", **more)
    two = [asked(world, tmp_path / f"{name}.parquet", model, name, **more) for name in SHARDS]
    assert rows_of(one) == rows_of(*two)
    wanted = {entry for source in sources["sources"] for entry in source.get("maps", ["coarse"])}
    assert {row["source_map"] for row in rows_of(one)} == wanted


def test_more_tags_change_the_rows_of_their_image_alone(
    world: World, models: dict[str, Path], tmp_path: Path
) -> None:
    def all_tags(rows: Rows) -> Rows:
        mine = [row for row in rows if row["image_id"] == 3]
        new = {*range(1, 11)} - {row["category_id"] for row in mine}
        added = [{**mine[0], "label_id": 10**6 + n, "category_id": n} for n in new]
        return sorted([*rows, *added], key=lambda row: (row["image_id"], row["label_id"]))

    other = changed(world, tmp_path / "other", weak_labels=all_tags)
    before = rows_of(asked(world, tmp_path / "before.parquet", models["conv"]))
    after = rows_of(asked(other, tmp_path / "after.parquet", models["conv"]))
    assert before != after
    assert [r for r in before if r["image_id"] != 3] == [r for r in after if r["image_id"] != 3]


def test_a_killed_shard_ends_with_the_same_bytes(
    world: World, models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt, "CHUNK", 1)
    wanted = asked(world, tmp_path / "whole.parquet", models["conv"]).read_bytes()
    prompts, seen = Clues.prompts, list[int]()

    def cut(self: Clues, image: dict[str, Any], labels: Any) -> Any:
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(image["image_id"])
        return prompts(self, image, labels)

    monkeypatch.setattr(Clues, "prompts", cut)
    with pytest.raises(KeyboardInterrupt):
        asked(world, tmp_path / "killed.parquet", models["conv"])
    seen.pop()
    assert asked(world, tmp_path / "killed.parquet", models["conv"]).read_bytes() == wanted
    assert seen == [1, 5]  # the parts of 1 and 3 were kept


def test_all_prompters_are_asked_in_their_order(
    small_world: World, world: World, models: dict[str, Path], tmp_path: Path
) -> None:
    points = read_table(small_world.folder / "weak_labels.parquet", prompt.WEAK_LABELS).to_pylist()
    own = [{**row, "label_id": row["label_id"] + 10**6} for row in points if row["image_id"] == 1]

    def both(rows: Rows) -> Rows:
        return sorted([*rows, *own], key=lambda row: (row["image_id"], row["label_id"]))

    mixed = changed(world, tmp_path / "mixed", weak_labels=both)
    sources = {"sources": [{"source": "labels"}, *SOURCES["sources"]]}
    rows = rows_of(asked(mixed, tmp_path / "0.parquet", models["conv"], settings=sources))
    kinds = {bag: {r["kind"] for r in rows if r["bag_id"] == bag} for bag in (-1, own[0]["bag_id"])}
    assert kinds[own[0]["bag_id"]] == {"point"}
    assert kinds[-1] <= {"peak", "peaks"}
    with pytest.raises(ValueError, match=r"a point of class .* no prompter of prompt\.sources"):
        asked(mixed, tmp_path / "1.parquet", models["conv"])


def test_an_empty_shard_opens_no_network(
    world: World, models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("opened")

    monkeypatch.setattr(ConvClues, "__init__", never)
    out = asked(world, tmp_path / "empty.parquet", models["conv"], "0002-of-0003")
    assert rows_of(out) == []


def test_a_model_that_does_not_fit_is_refused(
    world: World, models: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "0.parquet"
    wide = laid_over(CONV, {"conv": {"features": {"channels": 24}}})
    with pytest.raises(ValueError, match=r"does not fit the keys of fit_prompt\.conv"):
        asked(world, out, models["conv"], fit_settings=wide)
    with pytest.raises(ValueError, match="this file is missing"):
        asked(world, out, tmp_path / "none.pt")
    renamed = changed(
        world,
        tmp_path / "renamed",
        categories=lambda rows: [{**row, "name": f"x{row['name']}"} for row in rows],
    )
    with pytest.raises(ValueError, match=r"it knows the classes .* Take a model of the same"):
        asked(renamed, out, models["conv"])
    words = flags(world, out=out, shard=SHARDS[0], settings=SOURCES, fit_settings=CONV)
    with pytest.raises(ValueError, match=r"clues needs --model.*fit_prompt"):
        prompt.main(words)


def test_a_frozen_network_needs_none_of_the_weights_it_started_from(
    world: World, models: dict[str, Path], tmp_path: Path
) -> None:
    gone = laid_over(VIT, {"vit": {"weights": str(tmp_path / "gone.pth")}})
    shutil.copy(models["vit"], tmp_path / "frozen.pt")
    rows = rows_of(asked(world, tmp_path / "0.parquet", tmp_path / "frozen.pt", fit_settings=gone))
    assert rows == rows_of(asked(world, tmp_path / "1.parquet", models["vit"], fit_settings=VIT))
