"""Two processes train as one: same weights to rounding, one log, one model, and they resume."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from stages import fit_select
from stages.learning.model_file import load_model
from stages.runtime import processes
from stages.runtime.processes import ALONE, Team, joined

ROOT = Path(__file__).parents[3]
LAUNCH = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")
SMALL = {"features": {"channels": 16, "hidden": 32, "roi_size": 3}}
TRAINING = {
    **{"epochs": 30, "batch_images": 5, "warmup": 2, "checkpoint_every": 2},
    **{"optimizer": "sgd", "lr": 0.02, "processes": 2},
}  # six images: steps of 5 and of 1, where the second process has none
STEPS = 60
SECONDS = 120  # for two processes to start, train and leave


def flags(world: Any, folder: Path, name: str, **more: Any) -> list[str]:
    training = {**TRAINING, **more.pop("training", {})}
    out = {"out": folder / f"{name}.pt", "out_log": folder / f"{name}.jsonl"}
    settings = json.dumps({"psm": {**SMALL, "training": training}})
    return list(world.flags(**out, settings=settings, **more))


def launched(arguments: list[str]) -> subprocess.Popen[str]:
    command = [sys.executable, *LAUNCH, "stages.fit_select", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)


def train(arguments: list[str]) -> str:
    process = launched(arguments)
    text, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, text
    return text


def log_of(folder: Path, name: str) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def whole(small_world: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a training by two processes, `two`, with what they said."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "said.txt").write_text(train(flags(small_world, folder, "two")))
    return folder


@pytest.mark.long
def test_two_processes_train_psm_as_one_does(small_world: Any, whole: Path, tmp_path: Path) -> None:
    fit_select.main(flags(small_world, tmp_path, "one", training={"processes": 1}))
    for mine, wanted in zip(log_of(whole, "two"), log_of(tmp_path, "one"), strict=True):
        for key in ("step", "lr", "images", "objects", "loss", "bag_score"):
            assert mine[key] == pytest.approx(wanted[key], rel=1e-4), key
    seen, _ = load_model(whole / "two.pt")
    for key, value in load_model(tmp_path / "one.pt")[0].items():
        torch.testing.assert_close(seen[key], value, rtol=1e-4, atol=1e-6)


@pytest.mark.long
def test_one_process_speaks_and_writes(whole: Path) -> None:
    assert (whole / "said.txt").read_text().count(f"{STEPS} steps, last loss") == 1
    assert sorted(p.name for p in whole.iterdir()) == ["said.txt", "two.jsonl", "two.pt"]


@pytest.mark.long
def test_killed_processes_resume_to_the_same_weights(
    small_world: Any, whole: Path, tmp_path: Path
) -> None:
    process = launched(flags(small_world, tmp_path, "cut"))
    until = time.monotonic() + SECONDS
    while not list(tmp_path.glob("cut.pt.parts/*/checkpoint.pt")) and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=SECONDS)
    assert not (tmp_path / "cut.pt").exists()
    assert list(tmp_path.glob("cut.pt.parts/*/checkpoint.pt")), said
    assert "resuming at step" in train(flags(small_world, tmp_path, "cut"))
    seen, wanted = load_model(tmp_path / "cut.pt")[0], load_model(whole / "two.pt")[0]
    assert all(torch.equal(seen[key], value) for key, value in wanted.items())
    assert [line["step"] for line in log_of(tmp_path, "cut")] == list(range(1, STEPS + 1))


def test_without_torchrun_there_is_one_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined(1, "cpu") as team:
        assert team is ALONE
    assert not capsys.readouterr().err
    with joined(4, "cpu") as team:
        assert team is ALONE
    assert "processes is 4, but torchrun did not start" in capsys.readouterr().err


def test_another_number_of_processes_than_set_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with (
        pytest.raises(ValueError, match="processes is 3, but torchrun started 2"),
        joined(3, "cpu"),
    ):
        pass


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    monkeypatch.setattr(processes.torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match="3 processes here, but 2 GPUs"), joined(3, "auto"):
        pass


@pytest.mark.parametrize("items", [0, 1, 5, 8])
def test_slices_of_a_team_are_the_whole(items: int) -> None:
    parts = [Team(rank, 3).share(range(items)) for rank in range(3)]
    assert sorted(i for part in parts for i in part) == list(range(items))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
