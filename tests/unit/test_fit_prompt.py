"""fit_prompt: networks learn from tags or points, resume to the same bytes, refuse some."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from stages import fit_prompt
from stages.learning import conv_clues, p2b_fitting, vit_clues
from stages.learning.model_file import load_model
from stages.learning.vit import ClassTokenVit
from stages.runtime.provenance import sha256_of
from stages.settings.overrides import laid_over
from tests.pointed import P2B
from tests.tagged import CONV, VIT, flags, tagged
from tests.world import World

LOSSES: dict[str, tuple[Any, str]] = {
    "conv": (conv_clues.ConvClues, "loss"),
    "vit": (vit_clues.VitClues, "loss"),
    "p2b": (p2b_fitting, "step_loss"),
}
ALL = pytest.mark.parametrize("settings", [CONV, VIT, P2B], ids=["conv", "vit", "p2b"])


@pytest.fixture(scope="module")
def world(small_world: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """With the points of all objects, and the tags of all images."""
    return tagged(small_world, tmp_path_factory.mktemp("tagged"), points=True)


def fit(world: World, folder: Path, name: str = "model", **more: Any) -> bytes:
    out = {"out": folder / f"{name}.pt", "out_log": folder / f"{name}.jsonl"}
    fit_prompt.main(flags(world, **out, **more))
    return out["out"].read_bytes()


@ALL
def test_model_and_log_are_complete(world: World, tmp_path: Path, settings: dict[str, Any]) -> None:
    fit(world, tmp_path, settings=settings)
    state, header = load_model(tmp_path / "model.pt")
    assert all(torch.isfinite(value.float()).all() for value in state.values())
    assert header["stage"] == "stages.fit_prompt"
    assert len(header["classes"]) == 10
    assert str(world.folder) not in json.dumps(header)
    unchosen = {"conv": "vit", "vit": "conv", "p2b": "conv"}[settings["network"]]
    assert unchosen not in header["settings"]
    assert not any(f"{unchosen}_clues" in code for code in header["code"])
    training = "p2b_fitting" if settings == P2B else "clue_fitting"
    found = [code.split("@")[0] for code in header["code"] if "_fitting@" in code]
    assert found == [f"stages.learning.{training}"]
    lines = [json.loads(line) for line in (tmp_path / "model.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 10))  # 3 epochs of 3 steps
    assert {path.name for path in tmp_path.iterdir()} == {"model.pt", "model.jsonl"}


@ALL
def test_equal_seeds_give_equal_bytes_and_others_do_not(
    world: World, tmp_path: Path, settings: dict[str, Any]
) -> None:
    first = fit(world, tmp_path, "first", settings=settings, seed=3)
    assert fit(world, tmp_path, "again", settings=settings, seed=3) == first
    assert fit(world, tmp_path, "other", settings=settings, seed=4) != first


@pytest.mark.parametrize("at", [1, 4, 8], ids=["before", "between", "at the end"])
@ALL
def test_killed_training_ends_with_the_same_bytes(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    at: int,
) -> None:
    wanted = fit(world, tmp_path, "whole", settings=settings)
    steps = list[int]()
    place, name = LOSSES[settings["network"]]
    monkeypatch.setattr(place, name, counted(getattr(place, name), steps, limit=at))
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


def test_labels_without_points_are_refused(small_world: World, tmp_path: Path) -> None:
    tags = tagged(small_world, tmp_path / "tags")
    with pytest.raises(
        ValueError, match=r"no points to learn boxes from\. Set prepare\.labels: poi"
    ):
        fit(tags, tmp_path, settings=P2B)


def test_boxes_are_learned_from_points_alone(small_world: World, tmp_path: Path) -> None:
    """A mask, and all that is not known of the point's own object, change nothing."""
    wanted = fit(small_world, tmp_path, "plain", settings=P2B)
    more = tagged(small_world, tmp_path / "more", points=True)
    assert weights_of(tmp_path, "plain") == weights_of(
        tmp_path, "more", fit(more, tmp_path, "more", settings=P2B)
    )
    assert wanted


def weights_of(folder: Path, name: str, _: bytes = b"") -> dict[str, list[float]]:
    state, _header = load_model(folder / f"{name}.pt")
    return {key: value.flatten().tolist() for key, value in state.items()}


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
