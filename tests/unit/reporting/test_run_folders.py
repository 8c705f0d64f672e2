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


@pytest.mark.parametrize("name", ["homes.json", "photographs.json"])
@pytest.mark.parametrize("damaged", ["", "[]", '{"a": 3}'])
def test_damaged_notes_are_refused(tmp_path: Path, name: str, damaged: Any) -> None:
    (tmp_path / name).write_text(damaged)
    with pytest.raises(ValueError, match=rf"{name}: not what planning notes there .*Remove it"):
        run_folders(tmp_path)


@pytest.mark.parametrize(
    ("made", "words"), [((), "Run snakemake first"), (("a", "b"), r"In \S+ there are a, b\.")]
)
def test_a_run_that_is_not_there_is_told_with_those_that_are(
    tmp_path: Path, made: tuple[str, ...], words: str
) -> None:
    for name in made:
        (tmp_path / "results" / name).mkdir(parents=True)
    with pytest.raises(ValueError, match=f"there is no such run. {words}"):
        run_folders(tmp_path / "results" / "c")


def test_the_stages_of_a_variant_are_those_that_have_a_home(tmp_path: Path) -> None:
    among = ("prompt", "propose", "select", "refine")
    assert run_folders(tmp_path).stages("", among) == ("propose", "select", "refine")
    (tmp_path / "homes.json").write_text(json.dumps(HOMES))
    assert run_folders(tmp_path).stages("sapnet", among) == ("propose", "select")


def test_the_variant_that_has_come_furthest_is_found(tmp_path: Path) -> None:
    among = ("prepare", "propose", "select", "refine")
    assert run_folders(tmp_path).furthest(among) == ""
    shared = {"prepare": "own", "propose": "own"}
    names = ("best/seed-0", "sapnet", "voted")
    homes = {f"own/{k}": {**shared, "select": f"own/{k}"} for k in names}
    (tmp_path / "homes.json").write_text(json.dumps(homes))
    found = []
    for made in ("prepare", "best/seed-0/select", "sapnet/select", "voted/refine"):
        (tmp_path / made).mkdir(parents=True)
        found.append(run_folders(tmp_path).furthest(among))
    assert found == ["sapnet", "best/seed-0", "sapnet", "sapnet"]  # voted has no refine of its own


def noted(folder: Path, where: str) -> Path:
    """A run whose photographs planning noted to be there."""
    run = folder / "results" / "demo"
    run.mkdir(parents=True)
    (run / "photographs.json").write_text(json.dumps({"train": where}))
    return run


def test_photographs_are_where_planning_noted_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the folder that holds `results`, wherever one types, or from the root."""
    run = noted(tmp_path / "a", "own/images")
    (tmp_path / "a" / "own" / "images").mkdir(parents=True)
    assert run_folders(run).image_folder("") == tmp_path / "a" / "own" / "images"
    monkeypatch.chdir(run)
    assert run_folders(Path(".")).image_folder("").samefile(tmp_path / "a" / "own" / "images")
    far = noted(tmp_path / "b", str(tmp_path / "a" / "own"))
    assert run_folders(far).image_folder("") == tmp_path / "a" / "own"


def test_drawn_photographs_are_in_their_home(tmp_path: Path) -> None:
    run = noted(tmp_path, "results/{home}/partworld/train/images")
    drawn = run / "seed-1" / "partworld" / "train" / "images"
    drawn.mkdir(parents=True)
    (run / "homes.json").write_text(json.dumps({"demo/seed-1/a": {"partworld": "demo/seed-1"}}))
    assert run_folders(run).image_folder("seed-1/a") == drawn


def test_photographs_that_are_not_there_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is not noted there\. Name their folder"):
        run_folders(tmp_path).image_folder("")
    with pytest.raises(ValueError, match=r"not there any more\. Name their folder"):
        run_folders(noted(tmp_path, "gone")).image_folder("")
