"""A whole run, and what a second one does."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.workspace import TINY, UNTIL_EXPORT, Workspace, from_first, merged

SHARDED = ("propose", "select", "refine", "grade")


def test_a_run_ends_with_the_files(finished: Workspace) -> None:
    folder = finished.results()
    shards = [f"shard-{number:04d}-of-0002.parquet" for number in range(2)]
    wanted = [
        "partworld/train/annotations.json",
        *(f"prepare/{name}.parquet" for name in ("images", "weak_labels", "categories")),
        *(f"propose/{name}" for name in shards),
        *(f"sapnet/{stage}/{name}" for stage in ("select", "refine", "grade") for name in shards),
        *(f"sapnet/refine/{name.replace('shard', 'trail')}" for name in shards),
        *(f"sapnet/fit_{stage}/model.pt" for stage in ("select", "refine")),
        "sapnet/export/pseudo_labels.json",
        "sapnet/train/torchvision/model.pt",
        "sapnet/predict/torchvision/predictions.json",
        *(f"sapnet/evaluate/{name}" for name in ("metrics.json", "table.txt")),
        *(f"sapnet/report/{name}" for name in ("index.html", "warnings.txt", "trails/00000.js")),
    ]
    assert [name for name in wanted if not (folder / name).is_file()] == []


def test_nothing_unfinished_is_left_behind(finished: Workspace) -> None:
    left = [path for path in finished.results().rglob("*") if path.suffix in (".parts", ".tmp")]
    assert left == []


def test_the_table_is_the_last_thing_a_user_sees(finished: Workspace) -> None:
    text = (finished.folder / "output.txt").read_text()
    table = (finished.results() / "sapnet" / "evaluate" / "table.txt").read_text()
    assert table.strip() in text
    assert "Traceback" not in text


def test_every_stage_closes_its_log_with_its_counts(finished: Workspace) -> None:
    logs = finished.results().rglob("*.log")
    paths = [path for path in logs if "partworld" not in path.parts]
    assert len(paths) == 4 * 2 + 8  # four sharded stages and eight others
    for path in paths:
        last = path.read_text().splitlines()[-1]
        assert any(sign.isdigit() for sign in last), f"{path.name}: {last}"


def test_results_know_no_machine(finished: Workspace) -> None:
    """Equal inputs give equal bytes wherever they are made."""
    stages = (*UNTIL_EXPORT, "train", "predict", "evaluate")
    place = str(finished.folder).encode()
    for name in finished.digests(*stages):
        assert place not in (finished.results() / name).read_bytes(), name


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--image", "000001.png"], 0, "picture: results/tiny/inspect/image-1.png"),
        (["--worst", "3"], 0, "the 3 most doubtful of "),
        (
            ["--image", "none.png"],
            2,
            "inspect: there is no image none.png among the 8 of this run.",
        ),
    ],
    ids=["an image by name", "the most doubtful", "no such image"],
)
def test_a_run_can_be_looked_into(
    workspace: Workspace, words: list[str], code: int, said: str
) -> None:
    stages = (*UNTIL_EXPORT, "train", "evaluate", "report")
    before = workspace.digests(*stages)
    command = [sys.executable, "-m", "stages.inspect", "results/tiny", *words]
    done = subprocess.run(command, cwd=workspace.folder, capture_output=True, text=True)
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done.stderr
    assert workspace.digests(*stages) == before


def test_snakemakes_own_report_carries_the_page_and_the_table(workspace: Workspace) -> None:
    outcome = workspace.snakemake("--report", "report.zip")
    assert outcome.code == 0, outcome.text
    with zipfile.ZipFile(workspace.folder / "report.zip") as archive:
        names = archive.namelist()
        assert any(name.endswith("/index.html") and "data/raw" in name for name in names)
        assert any(name.endswith("table.txt") for name in names)
        [start] = [name for name in names if name.endswith("report.html")]
        text = archive.read(start).decode()
    assert "What the labels and the detector of tiny/sapnet are worth" in text  # a caption


def test_a_run_that_learned_nothing_says_so_at_its_end(finished: Workspace) -> None:
    """Three steps teach nobody."""
    text = (finished.folder / "output.txt").read_text()
    assert "maskmill: select has hardly learnt anything" in text
    page = (finished.results() / "sapnet" / "report" / "index.html").read_text()
    assert "Raise select.psm.training.epochs (now 1)" in page


def test_one_annotation_for_each_weak_label(finished: Workspace) -> None:
    truth = json.loads((finished.results() / "partworld/train/annotations.json").read_text())
    labels = json.loads((finished.results() / "sapnet/export/pseudo_labels.json").read_text())
    objects = [item for item in truth["annotations"] if not item["iscrowd"]]
    assert len(labels["annotations"]) == len(objects)


def test_a_second_run_does_nothing(workspace: Workspace) -> None:
    before = workspace.digests(*UNTIL_EXPORT, "train", "predict", "evaluate")
    outcome = workspace.snakemake()
    assert outcome.code == 0
    assert "Nothing to be done" in outcome.text
    assert workspace.digests(*UNTIL_EXPORT, "train", "predict", "evaluate") == before


def test_rerunning_select_reruns_what_follows_and_not_propose(finished: Workspace) -> None:
    jobs = finished.snakemake("-n", "-R", "select").jobs()
    assert set(jobs) == from_first({"select"})
    assert jobs["select"] == 2


def test_another_variant_shares_the_proposals(workspace: Workspace) -> None:
    workspace.configure(merged(TINY, {"variant": "other", "select": {"chunk": 2}}))
    jobs = workspace.snakemake("-n").jobs()
    assert set(jobs) == from_first({"fit_select"})


def test_a_nested_number_may_stand_on_the_command_line(workspace: Workspace) -> None:
    jobs = workspace.snakemake("-n", "--config", "train={iterations: 4, lr: 0.02}").jobs()
    assert set(jobs) == from_first({"train"})


def test_more_shards_start_a_fresh_set(workspace: Workspace) -> None:
    jobs = workspace.snakemake("-n", "--config", "shards=8").jobs()
    assert {stage: jobs[stage] for stage in SHARDED} == dict.fromkeys(SHARDED, 8)


SETTINGS = [
    ({"dataset": {"partworld": {"train": 9}}}, "partworld"),
    ({"propose": {"clean": 0}}, "propose"),
    ({"select": {"psm": {"loss_weight": 0.5}}}, "fit_select"),
    ({"refine": {"prm": {"alpha": 0.5}}}, "fit_refine"),
    ({"train": {"iterations": 4}}, "train"),
    ({"predict": {"chunk": 2}}, "predict_held_out"),
    ({"predict": {"score": 0.5}}, None),  # of what the next round reads
    ({"evaluate": {"group_cover": 0.4}}, "evaluate"),
    ({"threads": 2}, None),
    ({"images_at_once": 2}, None),  # of the machine: the masks are the same
    ({"refine": {"as_it_is": {"bms": {"mode": "paper"}}}}, None),  # of a method that is not chosen
]


@pytest.mark.long
@pytest.mark.parametrize(("change", "first"), SETTINGS, ids=[str(c) for c, _ in SETTINGS])
def test_a_setting_reruns_the_stage_that_reads_it_and_what_follows(
    change: dict[str, Any], first: str | None, finished: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "change.yaml"
    path.write_text(json.dumps(merged(TINY, change)))
    outcome = finished.snakemake("-n", "--configfile", str(path))
    assert outcome.code == 0, outcome.text
    assert set(outcome.jobs()) == from_first({first} if first else set())
