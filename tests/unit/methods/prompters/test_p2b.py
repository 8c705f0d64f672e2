"""P2BNet's boxes as prompts: one for each object with a point, in px of its own image."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages import fit_prompt, prompt
from stages.learning.model_file import load_model
from stages.methods.kit import LookingKit
from stages.methods.prompters.p2b import facts_of_method, opened_prompter
from stages.runtime.provenance import sha256_of
from stages.settings.fit_prompt import FitPrompt
from stages.settings.prompters.p2b import Settings
from stages.settings.propose import Propose
from stages.settings.section import from_values
from stages.tables.headers import read_header
from stages.tables.images import IMAGES
from stages.tables.prompts import PROMPTS
from stages.tables.table import read_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.bag_tables import label, labels
from tests.pointed import P2B, flags
from tests.world import SHARDS, World

BOTH: dict[str, Any] = {"sources": [{"source": "labels"}, {"source": "p2b"}]}


@pytest.fixture(scope="module")
def model(small_world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("p2b") / "model.pt"
    files = {"out": out, "out_log": out.with_suffix(".jsonl")}
    fit_prompt.main(flags(small_world, settings=P2B, **files))
    return out


def kit_of(world: World, model: Path | None) -> LookingKit:
    _, header = load_model(model) if model else ({}, {"classes": ["a"]})
    return LookingKit(
        image_folder=world.folder,
        classes=dict(enumerate(header["classes"], 1)),
        propose=from_values(Propose, {"sam": world.sam}, "propose"),
        fit=from_values(FitPrompt, P2B, "fit_prompt"),
        model=model,
        embeddings=None,
        seed=0,
    )


def asked(world: World, out: Path, model: Path, **more: Any) -> list[dict[str, Any]]:
    given = {"settings": BOTH, "fit_settings": P2B, "shard": SHARDS[0], **more}
    prompt.main(flags(world, out=out, model=model, **given))
    rows: list[dict[str, Any]] = read_table(out, PROMPTS).to_pylist()
    return rows


def test_each_object_is_asked_about_with_its_point_and_with_a_box(
    small_world: World, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = asked(small_world, tmp_path / "prompts.parquet", model)
    assert [row["kind"] for row in rows] == ["point", "box"] * (len(rows) // 2)
    assert [row["prompt_id"] for row in rows] == [0, 1] * (len(rows) // 2)
    for point, box in zip(rows[::2], rows[1::2], strict=True):
        assert point["bag_id"] == box["bag_id"]
        assert box["points"] is box["source_map"] is box["category_id"] is None
        x0, y0, x1, y1 = box["box"]
        assert 0 <= x0 < x1 <= 256
        assert 0 <= y0 < y1 <= 256
    header = read_header(tmp_path / "prompts.parquet")
    assert header["fitted"] == sha256_of(model)
    assert str(small_world.folder) not in str(header)
    for name in ("prompters.p2b", "p2b_network", "p2b_step", "mil.p2b", "sam_inputs"):
        assert any(name in code for code in header["code"])
    assert not any("clue_fitting" in code or "p2b_fitting" in code for code in header["code"])
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"3 images, {len(rows)} prompts, {len(rows) // 2} of them boxes." in said


def test_a_box_is_that_of_its_image_alone(small_world: World, model: Path, tmp_path: Path) -> None:
    whole = asked(small_world, tmp_path / "a", model) + asked(
        small_world, tmp_path / "b", model, shard=SHARDS[1]
    )
    prompter = opened_prompter(Settings(), kit_of(small_world, model), torch.device("cpu"))
    rows = read_table(small_world.folder / "weak_labels.parquet", WEAK_LABELS)
    for image in read_table(small_world.folder / "images.parquet", IMAGES).to_pylist():
        own = rows.filter(np.array(rows.column("image_id")) == image["image_id"])
        seen = {row["bag_id"]: row["box"] for row in prompter.prompts(image, own).to_pylist()}
        wanted = {
            row["bag_id"]: row["box"]
            for row in whole
            if row["image_id"] == image["image_id"] and row["kind"] == "box"
        }
        assert seen == wanted


def test_an_image_without_points_asks_nothing_and_is_not_read(
    small_world: World, model: Path
) -> None:
    prompter = opened_prompter(Settings(), kit_of(small_world, model), torch.device("cpu"))
    image = {"image_id": 1, "file_name": "not there.png", "height": 40, "width": 100}
    for rows in ((), (label(1, 4, "box"),), (label(1, 4, status="deleted"),)):
        assert len(prompter.prompts(image, labels(*rows))) == 0


def test_more_rounds_move_boxes(small_world: World, model: Path, tmp_path: Path) -> None:
    def boxes(rounds: int) -> list[Any]:
        entry = {"sources": [{"source": "p2b", "rounds": rounds}]}
        return [row["box"] for row in asked(small_world, tmp_path / "p", model, settings=entry)]

    assert boxes(0) != boxes(1) != boxes(2)


def test_a_model_that_is_missing_or_of_other_classes_or_keys_is_refused(
    small_world: World, model: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"p2b needs --model, and none was given\. Run fit_prompt"):
        facts_of_method(kit_of(small_world, None))
    kit = kit_of(small_world, model)
    with pytest.raises(ValueError, match=r"it knows the classes .*Take a model of the same"):
        opened_prompter(Settings(), other(kit, classes={1: "cat"}), torch.device("cpu"))
    wide = {"network": "p2b", "p2b": {"features": {"channels": 32}}}
    fit = from_values(FitPrompt, wide, "fit_prompt")
    with pytest.raises(ValueError, match=r"does not fit the keys of fit_prompt\.p2b"):
        opened_prompter(Settings(), other(kit, fit=fit), torch.device("cpu"))


def other(kit: LookingKit, **changes: Any) -> LookingKit:
    names = ("image_folder", "classes", "propose", "fit", "model", "embeddings", "seed")
    return LookingKit(**{name: getattr(kit, name) for name in names} | changes)
