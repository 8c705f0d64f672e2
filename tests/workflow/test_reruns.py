"""Which stages an edit of the code reruns: those that use the edited file, and no others."""

from typing import Any

import pytest

from tests.workflow.code_users import EDIT, modules_of, users_of
from tests.workflow.workspace import Workspace, from_first

MIL = {"fit_select", "select", "fit_refine", "refine"}

LATER = {"select", "fit_refine", "refine", "grade", "evaluate", "report"}
# that read what prepare has written
TABLES = MIL | {"propose", "grade", "export", "evaluate", "report"}

# an edited file -> the rules whose programs use it, by hand from the house plan
USERS = {
    "partworld/textures.py": {"partworld"},
    "partworld/dataset.py": {"partworld"},
    "partworld/train_sam.py": set(),
    "prepare.py": {"prepare"},
    "propose.py": {"propose"},
    "fit_select.py": {"fit_select"},
    "select.py": {"select"},
    "fit_refine.py": {"fit_refine"},
    "refine.py": {"refine"},
    "grade.py": {"grade"},
    "export.py": {"export"},
    "train.py": {"train"},
    "predict_held_out.py": {"predict_held_out"},
    "predict.py": set(),  # without a round that reads it
    "evaluate.py": {"evaluate"},
    "report.py": {"report"},
    "inspect.py": set(),
    "tidy.py": set(),
    # tables: who reads or writes them
    "tables/images.py": TABLES | {"prepare"},
    "tables/categories.py": (TABLES | {"prepare"}) - {"propose", "grade"},
    "tables/weak_labels.py": TABLES | {"prepare"},
    "tables/prompts.py": {"propose", "report"},
    "tables/proposals.py": MIL | {"propose", "grade", "evaluate", "report"},
    "tables/selections.py": LATER,
    "tables/pseudo_labels.py": {"refine", "grade", "export", "evaluate", "report"},
    "tables/grades.py": {"grade", "export", "evaluate", "report"},
    "tables/trail.py": {"refine", "evaluate", "report"},
    "tables/zoomed.py": {"refine"},
    "tables/one_image.py": {"report"},
    "tables/in_parts.py": {"propose", "select", "refine", "grade"},
    # methods that the config chooses, and others
    "formats/coco.py": {"prepare", "train", "predict_held_out", "evaluate"},
    "formats/weakening.py": {"prepare"},
    "geometry/points.py": {"prepare"},
    "methods/prompters/labels.py": {"propose"},
    "methods/selectors/psm.py": {"select"},
    "methods/selectors/trivial.py": set(),
    "methods/refiners/prm.py": {"refine"},
    "methods/refiners/as_it_is.py": set(),
    # of those who learn from tags
    "fit_prompt.py": set(),
    "prompt.py": set(),
    "methods/prompters/grid.py": set(),
    "methods/prompters/clues.py": set(),
    "methods/selectors/oicr.py": set(),
    "methods/refiners/adaptive_pgt.py": set(),
    "learning/conv_clues.py": set(),
    "learning/oicr_step.py": set(),
    "mil/peaks.py": set(),
    "mil/oicr.py": set(),
    "mil/pgt.py": set(),
    "learning/joint_step.py": set(),
    "learning/sam_inputs.py": MIL,
    "learning/step_log.py": MIL | {"train", "predict_held_out"},
    "learning/pixel_inputs.py": set(),
    "segmenters/derived.py": {"propose"},
    "segmenters/sam_loading.py": MIL | {"propose"},
    "segmenters/zoom.py": {"refine"},
    "labels/merge_smaller.py": {"export"},
    "engines/torchvision.py": {"train", "predict_held_out"},
    "engines/detectron2/engine.py": set(),
    # what decides no result, or travels in params
    "settings/evaluate.py": set(),
    "settings/train.py": set(),
    "settings/judge.py": set(),
    "settings/selectors/psm.py": set(),
    "planning/plan.py": set(),
    "planning/homes.py": set(),
    "runtime/device.py": set(),
    "runtime/events.py": set(),
    "runtime/program.py": set(),
    "runtime/progress.py": set(),
}
COMMENT = "\n\n# added by a test\n"


@pytest.mark.parametrize(("name", "rules"), USERS.items(), ids=list(USERS))
def test_the_digest_of_a_file_is_in_the_stages_that_use_it(name: str, rules: set[str]) -> None:
    assert users_of(name, modules_of()) == rules


CHOICES: list[tuple[dict[str, Any], str, set[str]]] = [  # other settings, a file, who uses it then
    ({"select__method": "median_area"}, "methods/selectors/trivial.py", {"select"}),
    ({"select__method": "median_area"}, "methods/selectors/psm.py", set()),
    ({"select__method": "median_area"}, "learning/sam_inputs.py", set()),
    ({"refine__prm__fit": "joint"}, "learning/joint_step.py", {"fit_select"}),
    ({"refine__prm__fit": "joint"}, "mil/prm.py", {"fit_select", "refine"}),
    ({}, "mil/prm.py", {"fit_refine", "refine"}),
    ({"select__psm__features__source": "resnet18"}, "learning/pixel_inputs.py", MIL),
    ({"select__psm__features__source": "resnet18"}, "learning/sam_inputs.py", set()),
]


@pytest.mark.parametrize(
    ("config", "name", "rules"), CHOICES, ids=[f"{c}-{n}" for c, n, _ in CHOICES]
)
def test_a_method_concerns_those_who_chose_it(
    config: dict[str, Any], name: str, rules: set[str]
) -> None:
    if config.get("select__method"):
        config = {**config, "refine__method": "as_it_is"}
    assert users_of(name, modules_of(**config)) & (MIL | {"propose"}) == rules


EDITED = [
    *("segmenters/derived.py", "tables/trail.py", "predict_held_out.py", "evaluate.py"),
    "planning/plan.py",
]


@pytest.mark.long
@pytest.mark.parametrize("name", EDITED)
def test_an_edit_reruns_the_stages_that_use_it_and_what_follows(
    name: str, workspace: Workspace
) -> None:
    path = workspace.folder / "stages" / name
    path.write_text(path.read_text() + EDIT)
    outcome = workspace.snakemake("-n")
    assert outcome.code == 0, outcome.text
    assert set(outcome.jobs()) == from_first(USERS[name])


SAID = {  # file: what it says, and what it might say; intervals of progress too
    "prepare.py": ("prepare.crowds says which are kept", "see prepare.crowds"),
    "photographs/admitting.py": ('"images checked")', '"photographs")'),
    "formats/weakening.py": ("points outside their image", "points beyond their image"),
    "formats/coco.py": ("has the unknown", "is of the unknown"),
    "runtime/progress.py": ("LINE_AFTER = 10.0", "LINE_AFTER = 30.0"),
    "tables/headers.py": ("not a Parquet file ({reason})", "no Parquet file at all ({reason})"),
    "photographs/reading.py": ("this file is missing", "there is no such file"),
    "propose.py": ("deleted labels left out", "labels left out, since they are deleted"),
    "train.py": ("last loss", "final loss"),
}


@pytest.mark.long
def test_words_and_progress_intervals_rerun_nothing(workspace: Workspace) -> None:
    for name, (old, new) in SAID.items():
        path = workspace.folder / "stages" / name
        text = path.read_text()
        assert old in text, name
        path.write_text(text.replace(old, new))
    assert "Nothing to be done" in workspace.snakemake("-n").text


@pytest.mark.long
def test_comments_rerun_nothing(workspace: Workspace) -> None:
    for path in workspace.folder.glob("stages/**/*.py"):
        path.write_text(path.read_text() + COMMENT)
    for path in workspace.folder.glob("workflow/rules/*.smk"):
        path.write_text(path.read_text() + COMMENT)
    for path in workspace.folder.glob("envs/*.yaml"):
        path.write_text(path.read_text() + COMMENT)
    assert "Nothing to be done" in workspace.snakemake("-n").text


@pytest.mark.long
def test_an_edit_and_its_undoing_rerun_nothing(workspace: Workspace) -> None:
    path = workspace.folder / "stages" / "select.py"
    text = path.read_text()
    path.write_text(text + EDIT)
    assert set(workspace.snakemake("-n").jobs()) == from_first({"select"})
    path.write_text(text)
    assert "Nothing to be done" in workspace.snakemake("-n").text


@pytest.mark.long
def test_a_new_photograph_without_annotations_reruns_nothing(workspace: Workspace) -> None:
    images = workspace.results() / "partworld" / "train" / "images"
    (images / "thumbnails.db").touch()
    assert "Nothing to be done" in workspace.snakemake("-n").text
