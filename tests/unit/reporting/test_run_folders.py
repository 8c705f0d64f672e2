"""Where a run's files lie: by its homes, else in the plain layout."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.reporting.run_folders import run_folders

HOMES = {
    "demo/sapnet": {"prepare": "demo", "propose": "demo", "select": "demo/sapnet"},
    "demo/seed-1/full": {"prepare": "demo/seed-1", "refine": "demo/seed-1/mil"},
}


def test_a_plain_run_has_its_data_in_the_run(tmp_path: Path) -> None:
    folders = run_folders(tmp_path)
    assert folders.variants() == []
    assert folders.stage("", "prepare") == tmp_path / "prepare"
    assert folders.stage("sapnet", "propose") == tmp_path / "propose"
    assert folders.stage("sapnet", "refine") == tmp_path / "sapnet" / "refine"


def test_variants_of_a_plain_run_are_those_that_have_selected(tmp_path: Path) -> None:
    for name in ("sapnet/select", "voted/seed-2/select", "seed-1/full/select", "other/train"):
        (tmp_path / name).mkdir(parents=True)
    assert run_folders(tmp_path).variants() == ["sapnet", "seed-1/full", "voted/seed-2"]


def test_homes_say_where_each_stage_lies(tmp_path: Path) -> None:
    (tmp_path / "homes.json").write_text(json.dumps(HOMES))
    folders = run_folders(tmp_path)
    assert folders.variants() == ["sapnet", "seed-1/full"]
    assert folders.stage("sapnet", "prepare") == tmp_path / "prepare"
    assert folders.stage("sapnet", "select") == tmp_path / "sapnet" / "select"
    assert folders.stage("seed-1/full", "prepare") == tmp_path / "seed-1" / "prepare"
    assert folders.stage("seed-1/full", "refine") == tmp_path / "seed-1" / "mil" / "refine"


@pytest.mark.parametrize("damaged", ["", "[]", '{"a": 3}'])
def test_a_damaged_list_is_refused(tmp_path: Path, damaged: Any) -> None:
    (tmp_path / "homes.json").write_text(damaged)
    with pytest.raises(ValueError, match=r"homes\.json: no list of homes .*Remove it"):
        run_folders(tmp_path)
