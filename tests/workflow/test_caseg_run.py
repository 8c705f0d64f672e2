"""A tiny run from boxes by BoxCaseg: its files, a kill, what reruns, and what is refused."""

import json
from typing import Any

import pytest
import yaml

from stages.tables.proposals import PROPOSALS
from stages.tables.table import read_tables
from tests.workflow.code_users import EDIT
from tests.workflow.test_kill import ASSASSIN
from tests.workflow.workspace import ROOT, TINY, Workspace, from_first, merged, new_workspace

pytestmark = pytest.mark.long

RECIPE = ROOT / "workflow" / "recipes" / "boxcaseg_demo.yaml"
SMALL: dict[str, Any] = {  # lies over the recipe: sizes, no method
    "run": "tiny",
    "shards": 1,
    "dataset": {"partworld": {"train": 6, "val": 1, "salient": 6}},
    "propose": {
        "boxcaseg": {
            **{"backbone": "small", "checkpoint": None, "channels": 4, "size": 32},
            "training": {
                **{"epochs": 2, "batch_images": 4, "checkpoint_every": 1},
                **{"size": 32, "size_salient": 40},
            },
        }
    },
    "train": {"enabled": False},
}
CHAIN = (
    *("partworld", "salient", "prepare", "fit_propose", "propose"),
    *("select", "refine", "grade", "export", "evaluate", "report"),
)
LEARNED = from_first({"fit_propose"}, CHAIN)


def tiny(*changes: dict[str, Any]) -> dict[str, Any]:
    """Settings of the tiny run, with these changes."""
    return merged(TINY, yaml.safe_load(RECIPE.read_text()), SMALL, *changes)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished run. Do not write into it; ask for `learned` instead."""
    workspace = new_workspace(tmp_path_factory.mktemp("learned") / "repo")
    workspace.configure(tiny())
    outcome = workspace.snakemake()
    assert outcome.code == 0, outcome.text
    assert set(outcome.jobs()) == set(CHAIN)
    return workspace


@pytest.fixture
def learned(done: Workspace, tmp_path: Any) -> Workspace:
    """A copy of the finished run."""
    return done.copy(tmp_path / "repo")


def test_each_box_has_one_mask_inside_it(done: Workspace) -> None:
    rows = read_tables(sorted((done.results() / "propose").glob("*.parquet")), PROPOSALS)
    bags = [(row["image_id"], row["bag_id"]) for row in rows.to_pylist()]
    assert len(bags) == len(set(bags)) > 10
    metrics = json.loads((done.results() / "boxcaseg/evaluate/metrics.json").read_text())
    assert metrics["counts"]["scored"] == metrics["box_agreement"]["n"] == len(bags)


def test_a_second_run_does_nothing(learned: Workspace) -> None:
    outcome = learned.snakemake()
    assert outcome.code == 0, outcome.text
    assert outcome.jobs() == {}


def test_a_killed_training_of_the_segmenter_gives_the_same_bytes(learned: Workspace) -> None:
    before = learned.digests("fit_propose")
    (learned.results() / "fit_propose" / "model.pt").unlink()
    (learned.folder / "sitecustomize.py").write_text(ASSASSIN)
    target = "results/tiny/fit_propose/model.pt"
    killed = learned.snakemake(target, KILL_AT="stage:after:*model.pt.parts/*/checkpoint.pt")
    assert killed.code != 0
    again = learned.snakemake(target)
    assert again.code == 0, again.text
    assert learned.digests("fit_propose") == before
    assert "resum" in learned.log("fit_propose")


CHANGES: list[tuple[dict[str, Any], set[str]]] = [  # what reruns
    ({"boxcaseg": {"training": {"epochs": 3}}}, LEARNED),
    ({"boxcaseg": {"heads": "weak_only"}}, LEARNED),
    ({"boxcaseg": {"threshold": 0.6}}, from_first({"propose"}, CHAIN)),
    ({"clean": 0.25}, from_first({"propose"}, CHAIN)),
    ({"grabcut": {"iterations": 3}}, set()),
]


@pytest.mark.parametrize(("change", "rules"), CHANGES, ids=[str(c) for c, _ in CHANGES])
def test_a_change_reruns_what_depends_on_it(
    change: dict[str, Any], rules: set[str], learned: Workspace
) -> None:
    learned.configure(tiny({"propose": change}))
    outcome = learned.snakemake("-n")
    assert outcome.code == 0, outcome.text
    assert set(outcome.jobs()) == rules


EDITS = {
    "box_supervision/line_bags.py": LEARNED,
    "learning/crop_fitting.py": LEARNED,
    "segmenters/boxcaseg.py": from_first({"propose"}, CHAIN),
    "segmenters/grabcut.py": set(),
    "settings/segmenters/boxcaseg.py": set(),
}


@pytest.mark.parametrize(("name", "rules"), EDITS.items(), ids=list(EDITS))
def test_an_edit_reruns_who_uses_it(name: str, rules: set[str], learned: Workspace) -> None:
    path = learned.folder / "stages" / name
    path.write_text(path.read_text() + EDIT)
    outcome = learned.snakemake("-n")
    assert outcome.code == 0, outcome.text
    assert set(outcome.jobs()) == rules


def test_a_frozen_network_is_asked_and_not_trained(learned: Workspace) -> None:
    model = learned.results() / "fit_propose" / "model.pt"
    (learned.folder / "boxes.pt").write_bytes(model.read_bytes())
    learned.configure(tiny({"run": "other", "propose": {"boxcaseg": {"model": "boxes.pt"}}}))
    outcome = learned.snakemake("--until", "propose")
    assert outcome.code == 0, outcome.text
    assert set(outcome.jobs()) == {"partworld", "prepare", "propose"}
    both = [learned.folder / "results" / run / "propose" for run in ("tiny", "other")]
    old, new = (read_tables(sorted(place.glob("*.parquet")), PROPOSALS) for place in both)
    assert old.to_pylist() == new.to_pylist()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dataset": {"partworld": {"salient": 0}}}, "dataset.partworld.salient"),
        ({"prepare": {"labels": "point"}}, "boxcaseg answers boxes"),
        ({"refine": {"zoom": {"enabled": True}}}, "refine.zoom"),
        ({"propose": {"boxcaseg": {"model": "no.pt"}}}, "there is no file no.pt"),
    ],
    ids=["salient", "labels", "zoom", "model"],
)
def test_what_does_not_fit_is_refused_in_one_sentence(
    change: dict[str, Any], said: str, fresh: Workspace
) -> None:
    fresh.configure(tiny(change))
    outcome = fresh.snakemake("-n")
    assert outcome.code != 0
    assert said in outcome.text
    assert "Traceback" not in outcome.text
