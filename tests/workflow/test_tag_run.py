"""A whole run from image tags, and what a second one does."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.tables.prompts import PROMPTS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.selections import SELECTIONS
from stages.tables.table import read_tables
from stages.tables.weak_labels import WEAK_LABELS
from tests.workflow.tag_runs import CHAIN, SHARDS, UNTIL_EXPORT, VARIANT, exported, tiny_from_tags
from tests.workflow.workspace import Workspace, from_first

pytestmark = pytest.mark.long

SHARDED = ("prompt", "propose", "select", "refine", "grade")


def _rows(workspace: Workspace, place: str, record: Any) -> list[dict[str, Any]]:
    found = sorted(workspace.results().glob(place))
    rows: list[dict[str, Any]] = read_tables(found, record).to_pylist()
    return rows


def test_a_run_from_tags_ends_with_the_files(finished_from_tags: Workspace) -> None:
    folder = finished_from_tags.results()
    wanted = [
        *(f"prepare/{name}.parquet" for name in ("images", "weak_labels", "categories")),
        *("fit_prompt/model.pt", "fit_prompt/log.jsonl", f"{VARIANT}/fit_select/model.pt"),
        *(f"{stage}/{name}" for stage in ("prompt", "propose") for name in SHARDS),
        *(
            f"{VARIANT}/{stage}/{name}"
            for stage in ("select", "refine", "grade")
            for name in SHARDS
        ),
        *(f"{VARIANT}/refine/{name.replace('shard', 'trail')}" for name in SHARDS),
        f"{VARIANT}/export/pseudo_labels.json",
        *(f"{VARIANT}/evaluate/{name}" for name in ("metrics.json", "table.txt")),
    ]
    assert [name for name in wanted if not (folder / name).is_file()] == []
    assert [path for path in folder.rglob("*") if path.suffix in (".parts", ".tmp")] == []
    table = (folder / VARIANT / "evaluate" / "table.txt").read_text()
    assert table.strip() in (finished_from_tags.folder / "output.txt").read_text()


def test_results_from_tags_know_no_machine(finished_from_tags: Workspace) -> None:
    place = str(finished_from_tags.folder).encode()
    found = finished_from_tags.digests(*UNTIL_EXPORT, "evaluate")
    assert {Path(name).parts[-2] for name in found} == {*UNTIL_EXPORT, "evaluate"}
    for name in found:
        assert place not in (finished_from_tags.results() / name).read_bytes(), name


def test_objects_that_are_born_of_tags_get_ids_of_their_own(finished_from_tags: Workspace) -> None:
    ids = [annotation["id"] for annotation in exported(finished_from_tags)["annotations"]]
    rows = _rows(finished_from_tags, f"{VARIANT}/refine/shard-*", PSEUDO_LABELS)
    assert len(ids) == len(set(ids)) == len(rows) > 0
    assert min(ids) >= 1
    assert all(row["instance_id"] < 0 for row in rows)


def test_each_image_has_one_bag_and_each_proposal_a_score_for_each_tag(
    finished_from_tags: Workspace,
) -> None:
    labels = _rows(finished_from_tags, "prepare/weak_labels.parquet", WEAK_LABELS)
    assert {row["kind"] for row in labels} == {"tag"}
    pairs = {(row["image_id"], row["category_id"]) for row in labels}
    assert len(pairs) == len(labels)
    prompts = _rows(finished_from_tags, "prompt/shard-*", PROMPTS)
    kinds = {image: {p["kind"] for p in prompts if p["image_id"] == image} for image, _ in pairs}
    assert all("grid" in own for own in kinds.values())
    assert {"grid", "peak", "peaks"} == set().union(*kinds.values())
    scores = _rows(finished_from_tags, f"{VARIANT}/select/shard-*", SELECTIONS)
    assert {(row["image_id"], row["category_id"]) for row in scores} == pairs
    assert {row["bag_id"] for row in prompts} == {row["bag_id"] for row in scores} == {-1}


def test_a_run_from_tags_is_scored_by_iou(finished_from_tags: Workspace) -> None:
    path = finished_from_tags.results() / VARIANT / "evaluate" / "metrics.json"
    metrics = json.loads(path.read_text())
    tags = len(_rows(finished_from_tags, "prepare/weak_labels.parquet", WEAK_LABELS))
    assert metrics["label_quality"] is None
    assert metrics["tags"]["tags"] == tags
    assert metrics["pseudo_labels"]["annotations"] == len(
        exported(finished_from_tags)["annotations"]
    )
    assert metrics["proposals"]["images"] == 12


def test_a_second_run_from_tags_does_nothing(from_tags: Workspace) -> None:
    before = from_tags.digests(*UNTIL_EXPORT, "evaluate")
    outcome = from_tags.snakemake()
    assert outcome.code == 0
    assert "Nothing to be done" in outcome.text
    assert from_tags.digests(*UNTIL_EXPORT, "evaluate") == before


SETTINGS: list[tuple[dict[str, Any], str | None]] = [
    ({"fit_prompt": {"conv": {"layers": 0}}}, "fit_prompt"),
    ({"prompt": {"sources": [{"source": "grid", "side": 3}, {"source": "clues"}]}}, "prompt"),
    ({"propose": {"peaks": {"nms": 0.5}}}, "propose"),
    ({"select": {"oicr": {"share": 0.2}}}, "fit_select"),
    ({"select": {"oicr": {"nms": 0.4}}}, "select"),
    ({"refine": {"adaptive_pgt": {"norm": "max"}}}, "refine"),
    ({"fit_prompt": {"vit": {"depth": 1}}}, None),  # of methods that are not chosen
    ({"select": {"mist": {"nms": 0.4}, "psm": {"loss_weight": 0.5}}}, None),
]


@pytest.mark.parametrize(("change", "first"), SETTINGS, ids=[str(c) for c, _ in SETTINGS])
def test_a_setting_of_tags_reruns_the_stage_that_reads_it_and_what_follows(
    change: dict[str, Any], first: str | None, finished_from_tags: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "change.yaml"
    path.write_text(json.dumps(tiny_from_tags(change)))
    outcome = finished_from_tags.snakemake("-n", "--configfile", str(path))
    assert outcome.code == 0, outcome.text
    jobs = outcome.jobs()
    assert set(jobs) == from_first({first} if first else set(), CHAIN)
    assert {jobs[stage] for stage in SHARDED if stage in jobs} <= {2}
