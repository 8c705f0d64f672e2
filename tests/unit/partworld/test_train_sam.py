import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stages.partworld import train_sam
from stages.partworld.sam_training import Settings, Training
from stages.segmenters.tiny import build_vit_tiny

TINY = Settings(seed=1, steps=6, images=2, points=1, warmup=2, window=3)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def _weights(path: Path) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = torch.load(path, weights_only=True)
    return weights


def test_killed_and_resumed_ends_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_sam.train(TINY, tmp_path / "whole", minutes=9, every=2, keep=2)
    advance = Training.advance

    def killed_at_five(training: Training) -> dict[str, float]:
        if training.step == 5:
            raise KeyboardInterrupt
        return advance(training)

    monkeypatch.setattr(Training, "advance", killed_at_five)
    with pytest.raises(KeyboardInterrupt):
        train_sam.train(TINY, tmp_path / "killed", minutes=9, every=2, keep=2)
    assert not (tmp_path / "killed" / "vit_tiny.pth").exists()
    monkeypatch.setattr(Training, "advance", advance)
    train_sam.train(TINY, tmp_path / "killed", minutes=9, every=2, keep=2)
    files = [tmp_path / name / "vit_tiny.pth" for name in ("whole", "killed")]
    assert files[0].read_bytes() == files[1].read_bytes()
    whole = _weights(tmp_path / "whole" / "vit_tiny.pth")
    resumed = _weights(tmp_path / "killed" / "vit_tiny.pth")
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    build_vit_tiny().load_state_dict(resumed, strict=True)


def test_equal_weights_give_equal_bytes_under_any_name(tmp_path: Path) -> None:
    weights = build_vit_tiny().state_dict()
    for name in ("one.pth", "other.pth"):
        train_sam.export_weights(weights, tmp_path / name)
    assert (tmp_path / "one.pth").read_bytes() == (tmp_path / "other.pth").read_bytes()


def test_out_of_time_saves_and_exports_nothing_yet(tmp_path: Path) -> None:
    training = train_sam.train(replace(TINY, steps=3), tmp_path, minutes=0)
    assert training.step == 0
    assert (tmp_path / "checkpoint.pt").exists()
    assert not (tmp_path / "vit_tiny.pth").exists()


def test_the_log_is_one_json_object_per_line(tmp_path: Path) -> None:
    train_sam.train(replace(TINY, steps=2), tmp_path, minutes=9, every=1)
    first, *rest = map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())
    assert first["resumed_at"] == 0
    assert first["seed"] == 1
    assert [entry["step"] for entry in rest] == [1, 2]
    assert rest[0].keys() >= {"point", "triple", "box", "dense", "norm", "rate", "pace"}


def test_evaluate_prints_the_table_and_writes_the_card(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, card = tmp_path / "vit_tiny.pth", tmp_path / "vit_tiny.card.json"
    train_sam.export_weights(build_vit_tiny().state_dict(), path)
    arguments = ["--evaluate", str(path), "--scenes", "2", "--seed", "1", "--card", str(card)]
    assert train_sam.main([*arguments, "--note", "Not trained."]) == 0
    assert "always slot 2" in capsys.readouterr().out
    content = json.loads(card.read_text())
    assert content["notes"] == ["Not trained."]
    assert str(tmp_path) not in card.read_text()
    assert "| best of the bag of 12" in card.with_suffix(".md").read_text()


def test_training_needs_an_out_folder() -> None:
    with pytest.raises(SystemExit):
        train_sam.main(["--steps", "1"])


def test_other_settings_on_an_old_folder_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_sam.train(TINY, tmp_path, minutes=0)
    assert train_sam.main(["--out", str(tmp_path), "--steps", "6", "--seed", "2"]) == 2
    assert "another --out" in capsys.readouterr().err
