"""fit_refine: PRM learns from select's choices and resumes to the same bytes."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from stages import fit_refine
from stages.learning.trainer import load_model

FEATURES = {"channels": 16, "hidden": 32, "roi_size": 3}
TRAINING = {"epochs": 3, "batch_images": 2, "warmup": 2, "checkpoint_every": 2}


def fit(run: Any, folder: Path, name: str = "model", **settings: Any) -> bytes:
    out = {"out": folder / f"{name}.pt", "out_log": folder / f"{name}.jsonl"}
    training = {**TRAINING, **settings.pop("training", {})}
    npg = {"background": 20, **settings.pop("npg", {})}
    texts = {
        "settings": json.dumps({"prm": {"npg": npg, **settings, "training": training}}),
        "select_settings": json.dumps({"psm": {"features": FEATURES, "training": TRAINING}}),
    }
    flags = run.world.flags(select_model=run.folder / "select.pt", **out, **texts)
    fit_refine.main([*flags, "--selections", *map(str, run.selections)])
    return out["out"].read_bytes()


def test_it_starts_from_the_shared_layers_of_select(small_run: Any, tmp_path: Path) -> None:
    fit(small_run, tmp_path, training={"epochs": 1, "lr": 1e-12, "weight_decay": 0})
    seen, _ = load_model(tmp_path / "model.pt")
    wanted, _ = load_model(small_run.folder / "select.pt")
    shared = [key for key in wanted if not key.startswith("heads.")]
    assert len(shared) >= 5
    for key in shared:
        torch.testing.assert_close(seen[key], wanted[key], rtol=0, atol=1e-6)
    fit(small_run, tmp_path, start="scratch", training={"epochs": 1, "lr": 1e-12})
    anew, _ = load_model(tmp_path / "model.pt")
    assert not torch.allclose(anew[shared[0]], wanted[shared[0]], atol=1e-3)


def test_killed_training_ends_with_the_same_bytes(
    small_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = fit(small_run, tmp_path, "whole", npg={"part_mode": "random"})
    steps: list[int] = []
    loss = fit_refine.refine_loss

    def cut(*args: Any, **kwargs: Any) -> Any:
        steps.append(0)
        if len(steps) == 6:
            raise KeyboardInterrupt
        return loss(*args, **kwargs)

    monkeypatch.setattr(fit_refine, "refine_loss", cut)
    with pytest.raises(KeyboardInterrupt):
        fit(small_run, tmp_path, "killed", npg={"part_mode": "random"})
    assert fit(small_run, tmp_path, "killed", npg={"part_mode": "random"}) == wanted
    assert len(steps) == 6 + 5  # resumed at step 4 of 9
    assert not list(tmp_path.glob("*.parts"))


@pytest.mark.parametrize(
    "settings",
    [
        {"npg": {"enabled": False}},
        {"npg": {"part_mode": "none", "background": 0}},
        {"npg": {"part_mode": "random"}, "neg_norm": "objects"},
        {"ppg": {"enabled": False}},
        {"ppg": {"clamp": "zero"}},
    ],
    ids=["no negatives", "nothing drawn", "random parts", "no enlarging", "zero"],
)
def test_every_switch_trains(small_run: Any, tmp_path: Path, settings: dict[str, Any]) -> None:
    fit(small_run, tmp_path, **settings, training={"epochs": 1})
    lines = (tmp_path / "model.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert all(json.loads(line)["loss"] > 0 for line in lines)


def test_a_select_model_of_other_features_is_refused(
    small_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FEATURES, "hidden", 40)
    with pytest.raises(ValueError, match="other features"):
        fit(small_run, tmp_path)
