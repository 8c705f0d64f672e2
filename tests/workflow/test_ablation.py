"""`snakemake ablation`, as users run it: variants times seeds, each world asked once, a report."""

import json

import pytest

from tests.workflow.workspace import TINY, Workspace, merged, new_workspace

pytestmark = pytest.mark.long

PASTE = {"copy_paste": {"enabled": True, "min_score": 0.0}}  # after so little no score is high
ABLATION = {
    "shards": 1,
    "dataset": {"partworld": {"train": 4, "val": 2}},
    "variants": {
        "full": {"refine": {"prm": {"fit": "staged"}}},  # so that both trainings are shared
        "extra": {"of": "full", "over": "full", "export": {"extra_masks": 1}},
        "whole": {"of": "sam_top1", "over": "sam_top1", "propose": {"clean": 0.0}},
        "paste": {"of": "full", "over": "full", "train": PASTE},
        "truth": {"of": "fully_supervised", "over": "full", "train": {"iterations": 2}},
    },
    "report": {
        "variants": ["sam_top1", "pnpg", "full", "extra", "whole"],
        "seeds": [0, 1],
        "detectors": ["full", "paste", "fully_supervised", "truth"],
        "detector_seeds": [0],
    },
}
# By hand, two worlds. `pnpg`, `full` and `extra` learn and select the same; `pnpg` alone refines
# otherwise, `extra` exports otherwise; `whole` asks for other proposals, and learns nothing.
JOBS = {
    **{"partworld": 4, "prepare": 2},
    "propose": 2 * 2,  # the config's, whole's
    **{"fit_select": 2, "fit_refine": 2},  # pnpg's
    "select": 2 * 3,  # sam_top1's, pnpg's, whole's
    "refine": 2 * 4,  # sam_top1's, pnpg's, full's, whole's
    "grade": 2 * 4,
    "export": 2 * 5,
    **{"train": 4, "predict_held_out": 4},
    "evaluate": 2 * 5 + 3,  # every variant, and three detectors that are no variants
    "ablate": 1,
}


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished ablation. Do not write into it."""
    workspace = new_workspace(tmp_path_factory.mktemp("ablation") / "repo")
    workspace.configure(merged(TINY, ABLATION))
    outcome = workspace.snakemake("ablation")
    assert outcome.code == 0, outcome.text
    assert outcome.jobs() == JOBS
    return workspace


def test_an_ablation_writes_table_numbers_and_figure(compared: Workspace) -> None:
    folder = compared.results() / "report"
    table = (folder / "ablation.md").read_text()
    for name in ("sam_top1", "pnpg", "full", "median", "fully_supervised"):
        assert name in table
    numbers = json.loads((folder / "ablation.json").read_text())
    assert numbers["provenance"]
    for name in ("ablation.png", "detectors.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_a_detector_with_another_training_learns_from_the_same_labels(compared: Workspace) -> None:
    world = compared.results() / "seed-0"
    assert not (world / "paste" / "export").exists()
    steps = {
        name: json.loads((world / name / "train/torchvision/training.json").read_text())["steps"]
        for name in ("full", "paste", "fully_supervised", "truth")
    }
    assert steps == {"full": 3, "paste": 3, "fully_supervised": 3, "truth": 2}
    table = (compared.results() / "report" / "ablation.md").read_text()
    assert "| **paste** over full |" in table
    assert "| **truth** over full |" in table


def test_variants_share_what_is_equal(compared: Workspace) -> None:
    world = compared.results() / "seed-0"
    stages = (
        "propose",
        "fit_select",
        "select",
        "fit_refine",
        "refine",
        "grade",
        "export",
        "evaluate",
    )
    names = ("pnpg", "full", "extra", "whole")
    seen = {name: [stage for stage in stages if (world / name / stage).exists()] for name in names}
    assert seen == {
        "pnpg": list(stages[1:]),
        "full": ["refine", "grade", "export", "evaluate"],
        "extra": ["export", "evaluate"],
        "whole": ["propose", "select", "refine", "grade", "export", "evaluate"],
    }
    homes = json.loads((compared.results() / "homes.json").read_text())["tiny/seed-0/extra"]
    assert [homes[stage] for stage in ("propose", "select", "refine", "export")] == [
        "tiny/seed-0",
        *(f"tiny/seed-0/{name}" for name in ("pnpg", "full", "extra")),
    ]


def test_the_variant_sam_top1_is_the_choice_of_that_name(compared: Workspace) -> None:
    for seed in (0, 1):
        path = compared.results() / f"seed-{seed}" / "sam_top1" / "evaluate" / "metrics.json"
        choices = json.loads(path.read_text())["label_quality"]["choices"]
        assert choices["pseudo_label"] == choices["sam_top1"]


def test_seeds_draw_their_own_worlds(compared: Workspace) -> None:
    worlds = [compared.results() / f"seed-{seed}" / "partworld" / "train" for seed in (0, 1)]
    first, second = (path / "annotations.json" for path in worlds)
    assert first.read_bytes() != second.read_bytes()


def test_a_second_ablation_does_nothing(compared: Workspace) -> None:
    assert "Nothing to be done" in compared.snakemake("-n", "ablation").text


def test_a_change_of_the_choice_trains_nothing_anew(compared: Workspace) -> None:
    change = {"variants": {"full": {"refine": {"prm": {"bms": {"t_min1": 0.7}}}}}}
    compared.configure(merged(TINY, ABLATION, change))
    jobs = compared.snakemake("-n", "ablation").jobs()
    compared.configure(merged(TINY, ABLATION))
    assert "fit_select" not in jobs
    assert "fit_refine" not in jobs
    assert jobs["refine"] == 2 + 2  # `pnpg` starts from `full`


def test_the_plain_run_is_untouched(compared: Workspace) -> None:
    jobs = compared.snakemake("-n").jobs()
    assert jobs["fit_select"] == jobs["fit_refine"] == 1
    assert "ablate" not in jobs


def test_seeds_of_files_share_prepare_and_propose(compared: Workspace) -> None:
    world = compared.results() / "seed-0" / "partworld"
    splits = {
        name: {
            "images": str(world / name / "images"),
            "annotations": str(world / name / "annotations.json"),
        }
        for name in ("train", "val")
    }
    files = {"run": "files", "dataset": {"source": "files", **splits}}
    compared.configure(merged(TINY, ABLATION, files))
    outcome = compared.snakemake("-n", "ablation")
    compared.configure(merged(TINY, ABLATION))
    assert outcome.jobs()["prepare"] == 1
    assert outcome.jobs()["propose"] == 2  # the config's, whole's
    assert outcome.jobs()["fit_select"] == 2
    assert "results/files/whole/propose" in outcome.text
    assert "results/files/full/seed-1/refine" in outcome.text
