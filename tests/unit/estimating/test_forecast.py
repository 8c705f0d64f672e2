"""Rows of an estimate: from earlier runs, from a pace, or not at all."""

from pathlib import Path
from typing import Any

import pytest

from stages.estimating.asks import Asks
from stages.estimating.forecast import NOT_MODELLED, UNMEASURED, Pace, Past, forecast, past_of

HEAD = "s\th:m:s\tmax_rss\tcpu_time\n"
STAGES = [
    {"name": "propose", "home": "r", "jobs": 2},
    {"name": "fit_select", "home": "r/v", "jobs": 1},
    {"name": "predict_held_out", "home": "r/v", "jobs": 1},
    {"name": "export", "home": "r/v", "jobs": 1},
]
ASKS = {
    "propose": Asks({"points": 10}, 4),
    "fit_select": Asks(looks=8, steps=5, is_kept=True),
}
PACE = Pace(look=2.0, prompt=0.5, how="tried here", at_least=False, memory=700.0)


def _rows(**known: Any) -> dict[str, Any]:
    given = {"work": (100, 10), "pace": PACE, "past": {}, **known}
    return {row.stage: row for row in forecast(STAGES, ASKS, **given)}


def test_a_stage_takes_its_looks_and_its_prompts() -> None:
    row = _rows()["propose"]
    assert (row.flop, row.seconds, row.at_least) == (4 * 100 + 10 * 10, 4 * 2 + 10 * 0.5, False)
    assert (row.memory, row.how) == (700.0, "tried here")


def test_a_training_takes_more_than_its_embeddings() -> None:
    row = _rows()["fit_select"]
    assert (row.seconds, row.at_least, row.memory) == (16.0, True, None)
    assert "5 steps not modelled" in row.how


def test_what_is_not_known_is_not_made_up() -> None:
    rows = _rows(pace=None, work=None)
    assert {row.seconds for row in rows.values()} == {None}
    assert {row.flop for row in rows.values()} == {None}
    assert rows["propose"].how == UNMEASURED
    assert rows["export"].how == NOT_MODELLED
    assert rows["fit_select"].how == f"5 steps, {NOT_MODELLED}"


def test_an_earlier_run_goes_before_what_is_reckoned() -> None:
    row = _rows(past={"propose": Past(1, 30.0, 900.0)})["propose"]
    assert (row.seconds, row.at_least, row.memory) == (30.0, False, 900.0)
    assert row.how == "an earlier run's benchmarks, 1 jobs of 2"


def test_benchmarks_are_those_of_the_stages_own_home(tmp_path: Path) -> None:
    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD + text)

    assert past_of(STAGES, lambda home: tmp_path / home) == {}
    write("r/propose/shard-0000-of-0002.tsv", "10.0\t0\t500.0\t9\n")
    write("r/fit_select.tsv", "99.0\t0\t1.0\t9\n")  # another variant's
    write("r/v/predict/torchvision/held_out.tsv", "4.0\t0\tNA\tNA\n")
    found = past_of(STAGES, lambda home: tmp_path / home)
    assert found["propose"] == Past(1, pytest.approx(20.0), 500.0)  # of two jobs
    assert found["predict_held_out"] == Past(1, 4.0, 0.0)
    assert set(found) == {"propose", "predict_held_out"}
