"""A detector that several processes train: one log of whole steps, the same weights each time."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from stages import predict_held_out
from stages.learning.model_file import load_model
from tests.stock_models import ROOT, asked_of, words_of

LAUNCH = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")
PLAN = {"fpn_channels": 16, "iterations": 7, "batch_images": 3, "processes": 2}
SECONDS = 300  # for two processes to start, train and leave


def trained_by_two(folder: Path, **more: int) -> str:
    folder.mkdir()
    command = [sys.executable, *LAUNCH, "stages.train", *words_of(folder, **{**PLAN, **more})]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    pipes = {"capture_output": True, "text": True, "timeout": SECONDS}
    done = subprocess.run(command, cwd=ROOT, env=environment, **pipes)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.long
def test_two_processes_train_one_detector_and_the_same_one_each_time(tmp_path: Path) -> None:
    told = trained_by_two(tmp_path / "one")
    assert told.count("7 steps, last loss") == 1
    lines = (tmp_path / "one" / "out" / "log.jsonl").read_text().splitlines()
    log = [json.loads(line) for line in lines]
    assert [entry["images"] for entry in log] == [3, 1] * 3 + [3]  # of 1 the second has none
    assert sum(entry["loss"] for entry in log[-3:]) < sum(entry["loss"] for entry in log[:3])
    trained_by_two(tmp_path / "again")
    state, other = (load_model(tmp_path / n / "out" / "model.pt")[0] for n in ("one", "again"))
    assert all(torch.equal(state[name], other[name]) for name in state)
    for name in ("one", "again"):
        predict_held_out.main(asked_of(tmp_path / name, **PLAN))
    found = [(tmp_path / n / "out" / "predictions.json").read_bytes() for n in ("one", "again")]
    assert found[0] == found[1]
