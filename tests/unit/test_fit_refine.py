"""fit_refine: PRM learns from select's choices and resumes to the same bytes."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from stages import fit_refine
from stages.learning import refine_step
from stages.learning.model_file import load_model
from tests.world import PSM, SMALL_SELECT, Run

Settings = dict[str, Any]


def fit(
    run: Run, folder: Path, name: str = "model", *, select: Settings = SMALL_SELECT, **prm: Any
) -> bytes:
    """Train into `folder`; `prm` are keys of the block of that name."""
    out = {"out": folder / f"{name}.pt", "out_log": folder / f"{name}.jsonl"}
    training = {**PSM["training"], **prm.pop("training", {})}
    npg = {"background": 20, **prm.pop("npg", {})}
    settings = {"prm": {"npg": npg, **prm, "training": training}}
    texts = {"settings": json.dumps(settings), "select_settings": json.dumps(select)}
    flags = run.world.flags(select_model=run.folder / "select.pt", **out, **texts)
    fit_refine.main([*flags, "--selections", *map(str, run.selections)])
    return out["out"].read_bytes()


def test_it_starts_from_the_shared_layers_of_select(small_run: Run, tmp_path: Path) -> None:
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
    small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = fit(small_run, tmp_path, "whole", npg={"part_mode": "random"})
    steps: list[int] = []
    loss = refine_step.refine_loss

    def cut(*args: Any, **kwargs: Any) -> Any:
        steps.append(0)
        if len(steps) == 6:
            raise KeyboardInterrupt
        return loss(*args, **kwargs)

    monkeypatch.setattr(refine_step, "refine_loss", cut)
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
def test_every_switch_trains(small_run: Run, tmp_path: Path, settings: dict[str, Any]) -> None:
    fit(small_run, tmp_path, **settings, training={"epochs": 1})
    lines = (tmp_path / "model.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert all(json.loads(line)["loss"] > 0 for line in lines)


def test_a_select_model_of_other_features_is_refused(small_run: Run, tmp_path: Path) -> None:
    other = {"psm": {**PSM, "features": {**PSM["features"], "hidden": 40}}}
    with pytest.raises(ValueError, match="other features"):
        fit(small_run, tmp_path, select=other)


def test_choices_of_other_shards_are_refused(small_run: Run, tmp_path: Path) -> None:
    out = {"out": tmp_path / "m.pt", "out_log": tmp_path / "l.jsonl"}
    flags = small_run.world.flags(select_model=small_run.folder / "select.pt", **out)
    with pytest.raises(ValueError, match="not about these proposals"):
        fit_refine.main([*flags, "--selections", str(small_run.selections[0])])


def test_a_method_that_learns_nothing_is_refused(small_run: Run, tmp_path: Path) -> None:
    out = {"out": tmp_path / "m.pt", "out_log": tmp_path / "l.jsonl"}
    flags = small_run.world.flags(select_model=small_run.folder / "select.pt", **out)
    words = ["--selections", *map(str, small_run.selections)]
    with pytest.raises(ValueError, match=r"refine\.method is as_it_is.*nothing to fit"):
        fit_refine.main([*flags, *words, "--settings", '{"method": "as_it_is"}'])


def test_the_header_holds_what_the_training_depends_on_and_no_more(small_run: Run) -> None:
    _, header = load_model(small_run.folder / "refine.pt")
    assert header["settings"]["prm"]["npg"]["background"] == 20
    assert not {"score", "bms", "pdg_exponent"} & set(header["settings"]["prm"])
    assert set(header["settings"]) == {"method", "prm"}
    assert header["select_settings"]["psm"]["features"]["hidden"] == 32
    assert "checkpoint" not in header["propose_settings"]["sam"]
    assert any("refine_step" in code for code in header["code"])
    assert not any("joint_step" in code or "backbone" in code for code in header["code"])
