"""Rounds: the second reads the first; each can be rerun alone, all of it or by stage."""

import json

import pytest

from stages.runtime.provenance import sha256_of
from stages.tables.headers import read_header
from stages.tables.predictions import CROSSED
from tests.workflow.round_runs import tiny_twice
from tests.workflow.workspace import Outcome, Workspace

pytestmark = pytest.mark.long

STAGES = ("refine", "grade", "export", "train", "predict", "evaluate")
BOTH = {  # jobs
    **{"refine": 4, "grade": 4, "train": 2, "predict": 2, "predict_held_out": 1},
    **{"evaluate": 1, "report": 1},
}


def test_each_round_has_its_home(twice: Workspace) -> None:
    home = twice.results() / "twice"
    for path in ("refine/shard-0000-of-0002.parquet", "export/pseudo_labels.json"):
        assert (home / path).is_file()
        assert (home / "round-2" / path).is_file()
    assert (home / "predict/torchvision/shard-0001-of-0002.parquet").is_file()
    seen = [path.name for path in (home / "round-2/predict/torchvision").iterdir()]
    assert seen == ["predictions.json"]  # of held-out images: no round reads what it says of others
    assert not (home / "predict/torchvision/predictions.json").exists()  # the last round is scored
    assert not (home / "round-2/select").exists()  # shared
    assert (home / "round-2/evaluate/metrics.json").is_file()


def test_no_more_is_made_than_the_rounds_need(twice: Workspace) -> None:
    text = (twice.folder / "output.txt").read_text()
    jobs = Outcome(0, text).jobs()
    assert jobs["select"] == 2
    assert {name: jobs[name] for name in BOTH} == BOTH


PREDICTED = ("predict_crossed", "predict")  # by two detectors, by one
JUDGED = {  # jobs
    **{"train_half": 2, "predict_crossed": 2, "refine": 2, "grade": 2, "export": 1},
    **{"train": 1, "predict_held_out": 1, "evaluate": 1, "report": 1},
}


def test_cross_fitted_each_half_is_judged_by_the_detector_of_the_other(twice: Workspace) -> None:
    twice.configure(tiny_twice({"again": {"refine": {"relabel": {"cross_fit": True}}}}))
    done = twice.snakemake()
    assert done.code == 0, done.text
    assert done.jobs() == JUDGED
    home = twice.results() / "twice"
    folders = [home / "train_half/torchvision" / half for half in "12"]
    seen = [json.loads((path / "training.json").read_text())["images"] for path in folders]
    whole = json.loads((home / "train/torchvision/training.json").read_text())
    assert sum(seen) == whole["images"]
    assert min(seen) > 0
    made = [sha256_of(path / "model.pt") for path in folders]
    for number in (0, 1):
        name = f"shard-000{number}-of-0002.parquet"
        crossed, plain = (home / part / "torchvision" / name for part in PREDICTED)
        assert read_header(crossed)[CROSSED] == made
        assert CROSSED not in read_header(plain)
    assert twice.snakemake("-n").jobs() == {}


def test_a_finished_run_has_nothing_to_do(twice: Workspace) -> None:
    assert twice.snakemake("-n").jobs() == {}


def test_a_stage_is_rerun_in_all_rounds(twice: Workspace) -> None:
    jobs = twice.snakemake("-n", "-R", "refine").jobs()
    assert jobs == {"export": 2, **BOTH}


def test_one_rounds_path_is_rerun_alone(twice: Workspace) -> None:
    before = twice.digests(*STAGES)
    path = "results/tiny/twice/round-2/refine/shard-0001-of-0002.parquet"
    done = twice.snakemake("--forcerun", path, "--until", "refine", "export")
    assert done.code == 0, done.text
    assert done.jobs()["refine"] == 1
    assert "train" not in done.jobs()
    assert twice.digests(*STAGES) == before


def test_a_setting_of_the_second_round_reruns_no_first(twice: Workspace) -> None:
    twice.configure(tiny_twice({"again": {"refine": {"relabel": {"overlap": 0.5}}}}))
    jobs = twice.snakemake("-n").jobs()
    ending = {"train": 1, "predict_held_out": 1, "evaluate": 1, "report": 1}
    assert jobs == {"refine": 2, "grade": 2, "export": 1, **ending}


def test_a_setting_of_the_first_round_reruns_both(twice: Workspace) -> None:
    twice.configure(tiny_twice({"refine": {"clean": 0.5}}))
    jobs = twice.snakemake("-n").jobs()
    assert jobs == {"export": 2, **BOTH}
