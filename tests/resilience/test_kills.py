"""Runs are killed at random moments, again and again, by each signal: the bytes are the same."""

from pathlib import Path

import pytest

from tests.resilience.kills import killed, undisturbed
from tests.resilience.recipes import runs

pytestmark = pytest.mark.long

KILLS = 30  # of each run at most three of one job; `make kills` has more, and all recipes


def test_a_run_that_is_killed_thirty_times_ends_with_the_same_bytes(tmp_path: Path) -> None:
    lives = []
    undisturbed(tmp_path, runs()["points"])
    for seed in range(3):
        left = KILLS - sum(len(life.kills) for life in lives)
        if left > 0:
            lives.append(killed(tmp_path, runs()["points"], each=3, seed=seed, most=left))
    kills = [kill for life in lives for kill in life.kills]
    assert len(kills) == KILLS
    assert {kill["signal"] for kill in kills} == {"SIGKILL", "SIGTERM", "SIGHUP", "SIGINT"}
    assert {kill["who"] for kill in kills} == {"job", "run", "snakemake"}
    assert [path for life in lives for path, same in life.equal.items() if not same] == []
    said = "".join(text for life in lives for text in life.texts)
    assert "a bug of ours" not in said
