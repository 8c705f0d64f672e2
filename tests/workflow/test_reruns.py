"""Which stages an edit of the code reruns: those that use the edited file, and no others."""

import pytest

from stages.runtime.code import code_of
from tests.workflow.workspace import CHAIN, Workspace, from_first

MIL = {"fit_select", "select", "fit_refine", "refine"}

# an edited file -> the rules whose programs use it, by hand from the house plan
USERS = {
    "partworld/textures.py": {"partworld"},
    "partworld/dataset.py": {"partworld"},
    "prepare.py": {"prepare"},
    "geometry/points.py": {"prepare"},
    "propose.py": {"propose"},
    "segmenters/derived.py": {"propose"},
    "select.py": {"select"},
    "fit_refine.py": {"fit_refine"},
    "refine.py": {"refine"},
    "export.py": {"export"},
    "train.py": {"train"},
    "evaluate.py": {"evaluate"},
    "settings/evaluate.py": set(),  # values travel in params
    "settings/train.py": set(),
    "tables/in_parts.py": {"propose", "select", "refine"},
    "runtime/device.py": set(),
    "segmenters/sam_loading.py": MIL | {"propose"},
    "planning/plan.py": set(),
    "settings/check.py": set(),
    "inspect.py": set(),
    "partworld/train_sam.py": set(),
}
EDIT = "\n\nADDED_BY_A_TEST = 1\n"
COMMENT = "\n\n# added by a test\n"


@pytest.mark.parametrize(("name", "rules"), USERS.items(), ids=list(USERS))
def test_the_digest_of_a_file_is_in_the_stages_that_use_it(name: str, rules: set[str]) -> None:
    module = "stages." + name.removesuffix(".py").replace("/", ".")
    programs = {rule: f"stages.{rule}" for rule in CHAIN} | {
        "partworld": "stages.partworld.dataset"
    }
    digests = {
        rule: {entry.split("@")[0] for entry in code_of(program)}
        for rule, program in programs.items()
    }
    assert {rule for rule, modules in digests.items() if module in modules} == rules


EDITED = ["segmenters/derived.py", "fit_refine.py", "evaluate.py", "planning/plan.py"]


@pytest.mark.parametrize("name", EDITED)
def test_an_edit_reruns_the_stages_that_use_it_and_what_follows(
    name: str, workspace: Workspace
) -> None:
    path = workspace.folder / "stages" / name
    path.write_text(path.read_text() + EDIT)
    outcome = workspace.snakemake("-n")
    assert outcome.code == 0, outcome.text
    assert set(outcome.jobs()) == from_first(USERS[name])


def test_comments_rerun_nothing(workspace: Workspace) -> None:
    for path in workspace.folder.glob("stages/**/*.py"):
        path.write_text(path.read_text() + COMMENT)
    for path in workspace.folder.glob("workflow/rules/*.smk"):
        path.write_text(path.read_text() + COMMENT)
    for path in workspace.folder.glob("envs/*.yaml"):
        path.write_text(path.read_text() + COMMENT)
    assert "Nothing to be done" in workspace.snakemake("-n").text


def test_an_edit_and_its_undoing_rerun_nothing(workspace: Workspace) -> None:
    path = workspace.folder / "stages" / "select.py"
    text = path.read_text()
    path.write_text(text + EDIT)
    assert set(workspace.snakemake("-n").jobs()) == from_first({"select"})
    path.write_text(text)
    assert "Nothing to be done" in workspace.snakemake("-n").text


def test_a_new_photograph_without_annotations_reruns_nothing(workspace: Workspace) -> None:
    images = workspace.results() / "partworld" / "train" / "images"
    (images / "thumbnails.db").touch()
    assert "Nothing to be done" in workspace.snakemake("-n").text
