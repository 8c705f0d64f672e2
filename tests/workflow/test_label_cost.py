"""`snakemake label_cost`, as users run it: the plan of the default config, and a tiny run."""

import json

import pytest

from stages.settings.label_cost import KINDS
from tests.workflow.workspace import TINY, Workspace, merged

TINY_COST = {
    "shards": 1,
    "dataset": {"partworld": {"train": 4, "val": 2}},
    "variants": {"mix": {"prepare": {"mask_share": 0.5}}},
    "label_cost": {
        "variants": ["points", "boxes_sam", "mix", "fully_supervised"],
        "seeds": [1, 2],
    },
}
# By hand, two worlds; what the truth teaches needs the run's own table of weak labels, which points
# have as well
JOBS = {
    **{"partworld": 4, "prepare": 2 * 3, "propose": 2 * 3},
    **{"fit_select": 2 * 2, "fit_refine": 2 * 2},  # of points and mix
    **{"select": 2 * 3, "refine": 2 * 3, "grade": 2 * 3, "export": 2 * 3},
    **{"train": 2 * 4, "predict_held_out": 2 * 4, "evaluate": 2 * 4, "label_cost": 1},
}


def test_the_default_config_plans_all_its_kinds(fresh: Workspace) -> None:
    (fresh.folder / "mine.yaml").unlink()
    outcome = fresh.snakemake("-n", "label_cost")
    assert outcome.code == 0, outcome.text
    jobs, seeds = outcome.jobs(), 3
    assert jobs["train"] == jobs["evaluate"] == (len(KINDS) + 1) * seeds
    assert jobs["fit_prompt"] == seeds  # tags
    assert jobs["salient"] == seeds  # for BoxCaseg; SIM's two trainings do not read them
    assert jobs["fit_propose"] == 3 * seeds
    assert jobs["prepare"] == 4 * seeds  # tags, points, boxes, mix
    assert jobs["label_cost"] == 1


@pytest.mark.long
def test_an_ordinary_run_has_none_of_it(fresh: Workspace) -> None:
    outcome = fresh.snakemake("-n")
    assert outcome.code == 0, outcome.text
    assert not {"label_cost", "salient", "fit_propose", "fit_prompt"} & set(outcome.jobs())


@pytest.mark.long
def test_what_keeps_it_from_running_is_one_sentence_and_forbids_no_other_run(
    fresh: Workspace,
) -> None:
    fresh.configure(merged(TINY, {"train": {"enabled": False}}))
    assert fresh.snakemake("-n").code == 0
    outcome = fresh.snakemake("-n", "label_cost")
    assert outcome.code != 0
    assert "ValueError: label_cost: a detector is trained on each kind of labels" in outcome.text
    assert "Traceback (most recent call last)" not in outcome.text


@pytest.mark.long
def test_a_missing_recipe_is_one_sentence(fresh: Workspace) -> None:
    fresh.configure(merged(TINY, {"variants": {"tags": {"recipe": "gone.yaml"}}}))
    outcome = fresh.snakemake("-n")
    assert outcome.code != 0
    assert "config: variants.tags.recipe: there is no file gone.yaml" in outcome.text
    assert "Traceback" not in outcome.text


@pytest.mark.long
def test_kinds_of_labels_end_side_by_side(fresh: Workspace) -> None:
    fresh.configure(merged(TINY, TINY_COST))
    outcome = fresh.snakemake("label_cost")
    assert outcome.code == 0, outcome.text
    assert outcome.jobs() == JOBS
    folder = fresh.results() / "label_cost"
    numbers = json.loads((folder / "label_cost.json").read_text())
    assert list(numbers["kinds"]) == ["points", "boxes_sam", "mix", "fully_supervised"]
    counts = numbers["counts"]
    for points, boxes, mix, masks in zip(*counts.values(), strict=True):
        objects = points["first_point"] + points["point"]
        assert objects == boxes["box"] == masks["mask"] > 0
        assert mix["first_point"] + mix["point"] + mix["mask"] == objects
        assert points["tag"] == boxes["tag"] == masks["tag"] > 0
    assert sum(mix["mask"] for mix in counts["mix"]) > 0
    assert "**mix** over boxes_sam" in (folder / "label_cost.md").read_text()
    assert (folder / "label_cost.png").read_bytes().startswith(b"\x89PNG")
    assert fresh.snakemake("-n", "label_cost").jobs() == {}
