import json
from pathlib import Path

import pytest

from stages.partworld import card
from stages.runtime.provenance import sha256_of

RESOURCES = Path("workflow/resources")


def _log(tmp_path: Path, *entries: dict[str, object]) -> Path:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


def test_an_empty_log_means_no_training(tmp_path: Path) -> None:
    assert card.read_training(_log(tmp_path)) == {"settings": {}, "steps": 0, "minutes": 0.0}


def test_minutes_are_summed_over_restarts(tmp_path: Path) -> None:
    log = _log(
        tmp_path,
        {"resumed_at": 0, "seed": 7, "steps": 200},
        {"step": 60, "pace": 1.0},
        {"step": 120, "pace": 1.0},
        {"resumed_at": 100, "seed": 7, "steps": 200},
        {"step": 200, "pace": 0.6},
    )
    training = card.read_training(log)
    assert training == {"settings": {"seed": 7, "steps": 200}, "steps": 200, "minutes": 3.0}


def test_the_shipped_card_belongs_to_the_shipped_weights() -> None:
    content = json.loads((RESOURCES / "vit_tiny.card.json").read_text())
    weights = RESOURCES / "vit_tiny.pth"
    assert content["sha256"] == sha256_of(weights)
    assert content["bytes"] == weights.stat().st_size <= 8 * 2**20
    assert (RESOURCES / "vit_tiny.card.md").read_text() == card.as_markdown(content)


@pytest.mark.parametrize("name", card.ROWS)
def test_the_shipped_card_reports_each_trivial_choice(name: str) -> None:
    content = json.loads((RESOURCES / "vit_tiny.card.json").read_text())
    assert 0 < content["scores"]["overall"][name] < 1
    assert content["scores"]["objects"] >= 150
