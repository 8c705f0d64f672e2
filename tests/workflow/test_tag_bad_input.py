"""Bad input to a run from tags: one clear sentence, a non-zero exit, nothing heavy before it."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from stages.tables.headers import read_header
from stages.tables.selections import SELECTIONS
from stages.tables.table import read_table, write_table
from tests.workflow.photographs import Coco, label, lay_out
from tests.workflow.tag_runs import SHARDS, VARIANT, on_files, tagged, tiny_from_tags
from tests.workflow.workspace import Outcome, Workspace

pytestmark = pytest.mark.long

GRID, CLUES = {"source": "grid", "side": 2}, {"source": "clues"}
CONFIGS: list[tuple[dict[str, Any], str]] = [
    (
        {"prepare": {"labels": "point"}},
        "config: select.method: oicr chooses for image tags, but prepare.labels is point",
    ),
    ({"refine": {"method": "prm"}}, "set refine.method to adaptive_pgt or top1_pgt"),
    (
        {"prompt": {"sources": [CLUES]}},
        "config: prompt.sources: clues asks nothing about an image in which it sees no peak",
    ),
    ({"prompt": {"sources": [GRID, {**CLUES, "kernel": 16}]}}, "kernel: 16 is even, so its middle"),
    (
        {"prompt": {"sources": [GRID, {**CLUES, "maps": ["coarse", "fine"]}]}},
        "clues looks at fine maps, but fit_prompt.network is conv, which has coarse alone",
    ),
    (
        {"evaluate": {"match": "instance"}},
        "config: prepare.labels is tag, but evaluate.match is instance",
    ),
    (
        {"fit_prompt": {"model": "no.pt"}},
        "config: fit_prompt.model: there is no file no.pt.",
    ),
]


def _assert_one_sentence(outcome: Outcome, sentence: str) -> None:
    assert outcome.code != 0
    assert sentence in outcome.text
    assert "Traceback" not in outcome.text


@pytest.mark.parametrize(("change", "sentence"), CONFIGS, ids=[str(c) for c, _ in CONFIGS])
def test_a_bad_config_of_tags_is_refused_before_any_job(
    change: dict[str, Any], sentence: str, fresh: Workspace
) -> None:
    fresh.configure(tiny_from_tags(change))
    _assert_one_sentence(fresh.snakemake(), sentence)
    assert not fresh.results().exists()


def test_a_file_that_is_no_network_of_clues_is_named(from_tags: Workspace) -> None:
    stranger = "workflow/resources/vit_tiny.pth"
    from_tags.configure(tiny_from_tags({"fit_prompt": {"model": stranger}}))
    outcome = from_tags.snakemake(f"results/tiny/prompt/{SHARDS[0]}")
    assert outcome.jobs() == {"prompt": 1}
    _assert_one_sentence(outcome, f"{stranger}: not a model file of Maskmill")


def test_the_network_of_another_stage_is_named(from_tags: Workspace) -> None:
    (from_tags.results() / VARIANT / "fit_select" / "model.pt").rename(from_tags.folder / "m.pt")
    from_tags.configure(tiny_from_tags({"fit_prompt": {"model": "m.pt"}}))
    outcome = from_tags.snakemake(f"results/tiny/prompt/{SHARDS[0]}")
    _assert_one_sentence(outcome, "m.pt: ")
    assert "fit_prompt" in outcome.text.split("m.pt: ")[1].splitlines()[0]


@pytest.fixture(scope="module")
def photographs(
    finished_from_tags: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Workspace, Coco]:
    """The photographs of the tiny run without labels, and what its tags would be."""
    folder = tmp_path_factory.mktemp("photographs") / "repo"
    return lay_out(finished_from_tags, folder), tagged(finished_from_tags)


def test_a_network_of_other_classes_is_named(
    photographs: tuple[Workspace, Coco], finished_from_tags: Workspace, tmp_path: Path
) -> None:
    workspace, coco = photographs[0].copy(tmp_path / "repo"), photographs[1]
    network = finished_from_tags.results() / "fit_prompt" / "model.pt"
    (workspace.folder / "clues.pt").write_bytes(network.read_bytes())
    renamed = [{**entry, "name": f"other {entry['name']}"} for entry in coco["categories"]]
    label(workspace, {**coco, "categories": renamed})
    on_files(workspace, {"shards": 1, "fit_prompt": {"model": "clues.pt"}})
    outcome = workspace.snakemake("--until", "prompt")
    _assert_one_sentence(outcome, "clues.pt: it knows the classes ")
    assert "Take a model of the same classes, or set fit_prompt.model: null." in outcome.text


def _crowds(coco: Coco) -> Coco:
    return {**coco, "annotations": [{**a, "iscrowd": 1} for a in coco["annotations"]]}


def _points(coco: Coco) -> Coco:
    return {**coco, "annotations": [{**a, "point": [9.0, 9.0]} for a in coco["annotations"]]}


UNTAGGED: list[tuple[Any, str, str]] = [
    (lambda coco: {**coco, "annotations": []}, "tag", "there are no annotations, so there is"),
    (_crowds, "tag", "all annotations are crowds (iscrowd 1); nothing to label."),
    (_points, "given", "there are no tags to learn from. Set prepare.labels: tag"),
]


@pytest.mark.parametrize(
    ("change", "labels", "sentence"), UNTAGGED, ids=["none", "crowds", "points"]
)
def test_images_without_any_tag_are_refused(
    change: Any, labels: str, sentence: str, photographs: tuple[Workspace, Coco], tmp_path: Path
) -> None:
    workspace, coco = photographs[0].copy(tmp_path / "repo"), photographs[1]
    label(workspace, change(json.loads(json.dumps(coco))))
    on_files(workspace, {"prepare": {"labels": labels}})
    _assert_one_sentence(workspace.snakemake("--until", "export"), sentence)


def _cut(path: Path, keep: Any) -> None:
    """Leave those rows alone of a table `selections`."""
    table, header = read_table(path, SELECTIONS), read_header(path)
    facts = {key: value for key, value in header.items() if key not in ("schema", "version")}
    path.unlink()
    write_table(path, table.filter(keep(table)), SELECTIONS, facts)


def _above_a_threshold(table: Any) -> Any:
    return pc.greater(table.column("score"), pc.mean(table.column("score")))


def _of_the_first_class(table: Any) -> Any:
    """Every proposal once: as many keys as before, and no class but one of each image."""
    rows = table.select(["image_id", "category_id"]).to_pylist()
    first: dict[int, int] = {}
    for row in rows:
        first.setdefault(row["image_id"], row["category_id"])
    return pa.array([first[row["image_id"]] == row["category_id"] for row in rows])


CUTS = [(_above_a_threshold, "proposals"), (_of_the_first_class, "without a threshold")]


@pytest.mark.parametrize(("keep", "sentence"), CUTS, ids=[k.__name__[1:] for k, _ in CUTS])
def test_refine_refuses_scores_that_a_threshold_has_cut(
    keep: Any, sentence: str, from_tags: Workspace
) -> None:
    folder = from_tags.results() / VARIANT
    _cut(folder / "select" / SHARDS[0], keep)
    outcome = from_tags.snakemake(f"results/tiny/{VARIANT}/refine/{SHARDS[0]}")
    assert outcome.jobs() == {"refine": 1}
    _assert_one_sentence(outcome, sentence)
