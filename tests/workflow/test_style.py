"""The workflow's own manners: linters silent, doors without logic."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.workflow.workspace import ROOT, Workspace

RULES = sorted((ROOT / "workflow" / "rules").glob("*.smk"))
DOORS = [path for path in RULES if path.stem != "common"]
PROGRAMS = {
    **{"partworld": "partworld.dataset", "salient": "partworld.dataset"},
    **{"train_half": "train", "predict_crossed": "predict"},
}  # the others bear the name of their rule
STAGES = {"salient": "partworld"}  # rules that are part of another's stage
WITHOUT = {
    "fetch",
    "ablate",
    "label_cost",
    "estimate",
    "tidy",
}  # rules without a home among those that are dealt
SPOKEN = {"estimate", "tidy"}  # rules whose text on the screen is all they are for
ORDER = (
    "input",
    "output",
    "log",
    "benchmark",
    "wildcard_constraints",
    "localrule",
    "conda",
    "threads",
    "resources",
    "params",
    "message",
    "shell",
)


def test_snakemake_lint_is_silent(fresh: Workspace) -> None:
    outcome = fresh.snakemake("--lint")
    assert outcome.code == 0, outcome.text
    assert "in a good condition" in outcome.text


def test_snakefmt_is_silent() -> None:
    tool = Path(sys.executable).with_name("snakefmt")
    if not tool.exists() and not shutil.which("snakefmt"):
        pytest.skip("snakefmt is not installed")
    command = [str(tool if tool.exists() else "snakefmt"), "--check", "Snakefile", "workflow/rules"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", DOORS, ids=lambda path: path.stem)
def test_a_door_has_its_directives_in_order_and_no_logic(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"^rule (\w+):", text, re.M) == [path.stem]
    seen = re.findall(r"^    (\w+):", text, re.M)
    assert seen == [name for name in ORDER if name in seen]
    made = {"output", "benchmark"} if path.stem not in SPOKEN else set()
    assert {"log", "conda", "threads", "message", "shell"} | made <= set(seen)
    if "localrule" not in seen:  # a cluster asks every other rule what it takes
        assert re.search(
            r"^    resources:\n(?:        gpu=.*\n)?        mem_mb=.*\n        runtime=", text, re.M
        )
    assert not re.search(r"^\s*(if|def|for|import|from)\b", text, re.M)
    assert text.startswith("# ")
    program = f"stages.{PROGRAMS.get(path.stem, path.stem)}"
    launchers = ("python", "{params.launcher}")  # trainings may be started by torchrun
    assert any(f'"{{params.setup}} {launcher} -m {program}"' in text for launcher in launchers)


@pytest.mark.parametrize("path", DOORS, ids=lambda path: path.stem)
def test_a_door_asks_the_plan_of_its_own_stage(path: Path) -> None:
    text, stage = path.read_text(), STAGES.get(path.stem, path.stem)
    asked = set(re.findall(r"PLAN\.(\w+)\.\w+", text)) - {"comparison", "label_cost"}
    if stage in WITHOUT:
        assert not asked
        return
    assert asked == {stage}
    assert f"code=PLAN.{stage}.code," in text
    assert f"home=PLAN.{stage}.homes," in text
    wildcards = set(re.findall(r"\{(\w+)\}", text)) - {"threads"}
    assert wildcards <= {"home", "shard", "engine", "split", "format", "half"}


@pytest.mark.parametrize("name", ["default", "slurm"])
def test_a_profile_holds_options_that_snakemake_knows(name: str, fresh: Workspace) -> None:
    # the executor of SLURM is a plugin that need not be here, nor are the options that it brings
    path = fresh.folder / "profiles" / name / "config.yaml"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("slurm-")))
    outcome = fresh.snakemake("-n", "--workflow-profile", f"profiles/{name}", "--executor", "local")
    assert outcome.code == 0, outcome.text
    values = yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text())
    assert "software-env" not in values["rerun-triggers"]
    assert values["rerun-incomplete"] is True


def test_the_default_profile_lets_one_job_use_the_gpu_at_a_time() -> None:
    values = yaml.safe_load((ROOT / "profiles" / "default" / "config.yaml").read_text())
    assert values["resources"] == {"gpu": 1}


def test_every_door_is_included() -> None:
    included = re.findall(r'include: "workflow/rules/(\w+)\.smk"', (ROOT / "Snakefile").read_text())
    assert sorted(included) == [path.stem for path in RULES]


def test_the_hall_is_small() -> None:
    """But for the list of its doors, of which a test above says that it is all of them."""
    lines = [line for line in (ROOT / "Snakefile").read_text().splitlines() if line.strip()]
    assert len([line for line in lines if not line.startswith("include: ")]) <= 23
