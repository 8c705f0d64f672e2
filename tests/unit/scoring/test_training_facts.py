"""The facts of a training: read as written, and refused where they are not."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.scoring.training_facts import read_training

FACTS = {
    "engine": "torchvision",
    "packages": {"torchvision": "0.29.1"},
    "images": 3,
    "annotations": 7,
    "masks_ignored": 1,
    "steps": 20,
    "last_loss": 0.5,
    "dropped": None,
    "pasted": None,
}


def test_facts_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "training.json"
    path.write_text(json.dumps(FACTS))
    assert read_training(path) == FACTS


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no facts of a training .*Rerun train"),
        ("[]", "engine is missing"),
        (json.dumps({**FACTS, "steps": "20"}), "steps is missing"),
    ],
    ids=["empty", "a list", "text for a number"],
)
def test_what_train_did_not_write_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "training.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        read_training(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    odd: Any = tmp_path / "no.json"
    with pytest.raises(ValueError, match=r"no\.json: no facts of a training"):
        read_training(odd)
