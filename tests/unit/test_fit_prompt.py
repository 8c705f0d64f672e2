"""fit_prompt: clues learn from tags, resume to the same bytes, and refuse what teaches nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from stages import fit_prompt
from stages.learning import conv_clues, vit_clues
from stages.learning.trainer import load_model
from stages.learning.vit import ClassTokenVit
from stages.runtime.provenance import sha256_of
from stages.settings.overrides import laid_over
from tests.tagged import CONV, VIT, flags, tagged
from tests.world import World

LEARNERS: dict[str, Any] = {"conv": conv_clues.ConvClues, "vit": vit_clues.VitClues}
BOTH = pytest.mark.parametrize("settings", [CONV, VIT], ids=["conv", "vit"])


@pytest.fixture(scope="module")
def world(small_world: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    return tagged(small_world, tmp_path_factory.mktemp("tagged"))


def fit(world: World, folder: Path, name: str = "model", **more: Any) -> bytes:
    out = {"out": folder / f"{name}.pt", "out_log": folder / f"{name}.jsonl"}
    fit_prompt.main(flags(world, **out, **more))
    return out["out"].read_bytes()


@BOTH
def test_model_and_log_are_complete(world: World, tmp_path: Path, settings: dict[str, Any]) -> None:
    fit(world, tmp_path, settings=settings)
    state, header = load_model(tmp_path / "model.pt")
    assert all(torch.isfinite(value.float()).all() for value in state.values())
    assert header["stage"] == "stages.fit_prompt"
    assert len(header["classes"]) == 10
    assert str(world.folder) not in json.dumps(header)
    unchosen = {"conv": "vit", "vit": "conv"}[settings["network"]]
    assert unchosen not in header["settings"]
    assert not any(f"{unchosen}_clues" in code for code in header["code"])
    lines = [json.loads(line) for line in (tmp_path / "model.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 10))  # 3 epochs of 3 steps
    assert {path.name for path in tmp_path.iterdir()} == {"model.pt", "model.jsonl"}


@BOTH
def test_equal_seeds_give_equal_bytes_and_others_do_not(
    world: World, tmp_path: Path, settings: dict[str, Any]
) -> None:
    first = fit(world, tmp_path, "first", settings=settings, seed=3)
    assert fit(world, tmp_path, "again", settings=settings, seed=3) == first
    assert fit(world, tmp_path, "other", settings=settings, seed=4) != first


@pytest.mark.parametrize("at", [1, 4, 8], ids=["before", "between", "at the end"])
@BOTH
def test_killed_training_ends_with_the_same_bytes(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    at: int,
) -> None:
    wanted = fit(world, tmp_path, "whole", settings=settings)
    steps = list[int]()
    learner = LEARNERS[settings["network"]]
    monkeypatch.setattr(learner, "loss", counted(learner.loss, steps, limit=at))
    with pytest.raises(KeyboardInterrupt):
        fit(world, tmp_path, "killed", settings=settings)
    assert not (tmp_path / "killed.pt").exists()
    monkeypatch.undo()
    assert fit(world, tmp_path, "killed", settings=settings) == wanted
    log = (tmp_path / "killed.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == list(range(1, 10))


def counted(loss: Callable[..., Any], steps: list[int], *, limit: int) -> Callable[..., Any]:
    def cut(*args: Any, **kwargs: Any) -> Any:
        if len(steps) == limit:
            raise KeyboardInterrupt
        steps.append(len(steps))
        return loss(*args, **kwargs)

    return cut


def test_reading_processes_and_kept_embeddings_change_nothing(world: World, tmp_path: Path) -> None:
    def weights(name: str, **more: Any) -> dict[str, list[float]]:
        changes = laid_over(CONV, {"conv": more})
        fit(world, tmp_path, name, settings=changes, embeddings=tmp_path / "kept")
        return {k: v.flatten().tolist() for k, v in load_model(tmp_path / f"{name}.pt")[0].items()}

    plain = weights("plain")
    assert weights("kept") == plain
    assert weights("parallel", training={"workers": 1}) == plain
    assert weights("uncached", features={"cache": False}) == plain


def test_an_image_without_tags_teaches_nothing(
    small_world: World, world: World, tmp_path: Path
) -> None:
    fewer = tagged(small_world, tmp_path / "fewer", but=2)
    fit(fewer, tmp_path, settings=CONV)
    lines = [json.loads(line) for line in (tmp_path / "model.jsonl").read_text().splitlines()]
    assert sum(line["images"] for line in lines) == 3 * 5


def test_labels_without_tags_are_refused(small_world: World, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no tags to learn from\. Set prepare\.labels: tag"):
        fit(small_world, tmp_path, settings=CONV)


def test_a_frozen_model_leaves_nothing_to_fit(world: World, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"fit_prompt\.model is other\.pt.*nothing to fit"):
        fit(world, tmp_path, settings={**CONV, "model": "other.pt"})


def test_weights_of_deit_count_by_checksum_not_by_path(world: World, tmp_path: Path) -> None:
    path = tmp_path / "deit.pth"
    torch.save(ClassTokenVit(1, depth=2, dim=16, heads=2, patch=16, cells=2).state_dict(), path)
    scratch = fit(world, tmp_path, "scratch", settings=VIT)
    started = {"vit": {"weights": str(path), "training": {"epochs": 1}}}
    assert fit(world, tmp_path, "started", settings=laid_over(VIT, started)) != scratch
    _, header = load_model(tmp_path / "started.pt")
    assert str(tmp_path) not in json.dumps(header)
    assert header["model_sha256"] == sha256_of(path)
