"""What sbatch is asked for, by Snakemake's own plugin and an sbatch that writes it down."""

import os
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.workflow.workspace import ROOT, TINY, Workspace, merged

pytest.importorskip(
    "snakemake_executor_plugin_slurm", reason="pip install -r requirements-slurm.txt"
)

STAND_IN = ROOT / "tests" / "fakes" / "slurm" / "bin"
AT_ONCE = ("--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "1")
SITE = ("--default-resources", "slurm_account=mine", "slurm_partition=gpu")
MODEL = "results/tiny/sapnet/fit_select/model.pt"
TEAM: dict[str, Any] = {
    "device": "cuda",
    "select": {"psm": {"training": {"processes": 4, "workers": 4, "batch_images": 8}}},
}


def _calls(workspace: Workspace, *arguments: str) -> list[str]:
    """The command lines of sbatch; without --cores, which a cluster is not told."""
    calls = workspace.folder / "calls.txt"
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm"]
    subprocess.run(
        [*command, "--configfile", "mine.yaml", *AT_ONCE, *SITE, *arguments],
        cwd=workspace.folder,
        env=os.environ | {"PATH": f"{STAND_IN}:{os.environ['PATH']}", "SBATCH_CALLS": str(calls)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
    )
    return calls.read_text().splitlines()


def _asked(call: str, flag: str) -> str:
    return re.findall(rf" {flag}[ =](\S+)", call)[0]


def test_a_team_gets_its_cores_and_cards_and_a_further_attempt_more_memory(
    workspace: Workspace,
) -> None:
    workspace.configure(merged(TINY, TEAM))
    only = ("--allowed-rules", "fit_select", "--force", "--retries", "1")
    first, second = _calls(workspace, *only, "--", MODEL)
    for call in (first, second):
        assert _asked(call, "--gpus") == "4"
        assert _asked(call, "--cpus-per-task") == str(4 * (1 + 4))
        assert (_asked(call, "-A"), _asked(call, "-p")) == ("mine", "gpu")
    assert int(_asked(second, "--mem")) == 2 * int(_asked(first, "--mem"))
    assert int(_asked(second, "-t")) == 2 * int(_asked(first, "-t"))


def test_the_shards_of_a_stage_are_one_submission(workspace: Workspace) -> None:
    only = ("--allowed-rules", "propose", "--force", "--retries", "0")
    (call,) = _calls(workspace, *only, "--", *_shards(workspace, "propose"))
    assert _asked(call, "--array") == f"1-{TINY['shards']}"


def test_a_shard_is_graded_in_the_job_that_refines_it(workspace: Workspace) -> None:
    only = ("--allowed-rules", "refine", "grade", "--force", "--retries", "0")
    calls = _calls(workspace, *only, "-R", "refine", "--", *_shards(workspace, "sapnet/grade"))
    assert len(calls) == TINY["shards"]
    assert {_asked(call, "--comment") for call in calls} == {"rule_label_grade_refine"}


def _shards(workspace: Workspace, stage: str) -> list[str]:
    found = sorted((workspace.results() / stage).glob("shard-*.parquet"))
    return [str(path.relative_to(workspace.folder)) for path in found]
