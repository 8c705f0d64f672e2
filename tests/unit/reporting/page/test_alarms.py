"""What a person hears of a training that came to nothing, and that others are left in peace."""

import json
from pathlib import Path
from typing import Any

from stages.reporting.page.alarms import alarms, learnt_of
from stages.tables.selections import SELECTIONS
from tests.sound_rows import selection_row, write_shards

SETTINGS = json.dumps({"select": {"method": "psm", "psm": {"training": {"epochs": 1}}}})


def tables(folder: Path, score: float, shares: tuple[float, ...], **changes: Any) -> list[Path]:
    """Two images with a bag each."""
    rows = [
        selection_row(image, 3, k, bag_score=score, **{"score_ins": share, **changes})
        for image in (1, 2)
        for k, share in enumerate(shares)
    ]
    return write_shards(folder, "select", SELECTIONS, rows, 2)


def test_what_has_learned_is_left_in_peace(tmp_path: Path) -> None:
    assert alarms(tables(tmp_path, 0.9, (0.8, 0.2)), 10, SETTINGS) == []
    assert alarms([], 10, SETTINGS) == []


def test_what_has_not_is_told_with_the_key_to_change(tmp_path: Path) -> None:
    [said] = alarms(tables(tmp_path, 0.1, (0.5, 0.5)), 10, SETTINGS)
    assert "are 0.100 on average, and guessing among 10 classes gives 0.100" in said
    assert "1.00 times an even share of S_ins" in said
    assert "Raise select.psm.training.epochs (now 1)" in said


def test_each_sign_alone_is_told(tmp_path: Path) -> None:
    [said] = alarms(tables(tmp_path / "a", 0.9, (0.5, 0.5)), 10, SETTINGS)
    assert "guessing" not in said
    [said] = alarms(tables(tmp_path / "b", 0.1, (0.8, 0.2)), 10, SETTINGS)
    assert "even share" not in said


def test_scores_of_methods_that_learn_nothing_are_not_judged(tmp_path: Path) -> None:
    paths = tables(tmp_path, 0.1, (0.5, 0.5), score_cls=None)
    assert learnt_of(paths, 10).bags == 0
    assert alarms(paths, 10, "{}") == []
