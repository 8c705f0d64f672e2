"""Numbers on the command line."""

from typing import Any

import pytest
from snakemake.cli import parse_config

from stages.settings.command_line import with_numbers


def _said(*words: str) -> dict[str, Any]:
    """`--config` as Snakemake reads it."""
    found: dict[str, Any] = parse_config(list(words))
    return found


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("{iterations: 400, rois: 64}", {"iterations": 400, "rois": 64}),
        ("{rate: 0.5, on: true, off: false}", {"rate": 0.5, "on": True, "off": False}),
        ("{path: null, name: a.json}", {"path": None, "name": "a.json"}),
        ("{inner: {depth: 3}, sides: [96, 128]}", {"inner": {"depth": 3}, "sides": [96, 128]}),
        ("{sources: [{source: grid, side: 8}]}", {"sources": [{"source": "grid", "side": 8}]}),
        ("{digest: '2020-01-01', odd: 'a: b'}", {"digest": "2020-01-01", "odd": "a: b"}),
    ],
)
def test_nested_numbers_are_numbers(words: str, value: dict[str, Any]) -> None:
    said = _said(f"train={words}")
    assert with_numbers(said, said)["train"] == value


def test_what_was_not_said_stays() -> None:
    config = {"train": {"iterations": "400", "name": "7", "rest": "8"}, "run": "12", "seed": 3}
    said = _said("train={iterations: 400}", "other={a: 1}", "run=12")
    found = with_numbers(config, said)
    assert found == {**config, "train": {"iterations": 400, "name": "7", "rest": "8"}}
