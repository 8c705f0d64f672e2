"""Labels in every format that people have, from their files to pseudo-labels and to a detector."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.drawn_objects import SIZES, Drawn, drawn
from tests.label_files import FILES, coco
from tests.label_tools import labelme, voc, yolo
from tests.workflow.label_runs import (
    EXPORTED,
    Runs,
    annotations,
    below,
    is_given,
    keeps,
    sentence,
    settings,
    weak_labels,
)
from tests.workflow.workspace import TINY, Workspace, merged

pytestmark = pytest.mark.long

TO_THE_END = ("Parquet", "COCO of all", "Label Studio", "CVAT", "VOC masks", "YOLO outlines")
RUNS = {name: name.lower().replace(" ", "_") for name in FILES}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Runs, str, dict[str, list[Drawn]]]:
    """All files prepared, those of TO_THE_END exported; what was said, and what was drawn.

    Later stages read the tables of `prepare` alone, so one file of each reader goes to the end.
    """
    folder = tmp_path_factory.mktemp("formats")
    objects, configs = {}, {}
    for name, run in RUNS.items():
        objects[name], split = FILES[name].written(folder / "data" / run)
        configs[run] = settings(below(split, folder), {"run": run})
    made = Runs(folder)
    prepared = [f"{run}/prepare/weak_labels.parquet" for run in RUNS.values()]
    made.configure(configs, [*prepared, *(f"{RUNS[name]}/{EXPORTED}" for name in TO_THE_END)])
    return made, made.snakemake().text, objects


@pytest.mark.parametrize("name", FILES)
def test_the_screen_says_the_format_and_the_counts(name: str, runs: Any) -> None:
    made, text, objects = runs
    said = sentence(objects[name], FILES[name].format)
    # Snakemake may be about to end a line of its own while another job speaks
    assert any(line.endswith(said) for line in text.splitlines())
    assert said in (made.folder / "results" / RUNS[name] / "logs" / "prepare.log").read_text()


@pytest.mark.parametrize("name", FILES)
def test_every_object_is_a_weak_label_of_its_class(name: str, runs: Any) -> None:
    made, _, objects = runs
    found = weak_labels(made.folder / "results" / RUNS[name])
    for (photograph, category, row), thing in zip(found, objects[name], strict=True):
        assert (photograph, category) == (thing.photograph, thing.name)
        assert is_given(row, thing), (row, thing)


@pytest.mark.parametrize("name", TO_THE_END)
def test_every_object_has_an_annotation_and_given_masks_are_unchanged(name: str, runs: Any) -> None:
    made, _, objects = runs
    found = annotations(made.folder / "results" / RUNS[name])
    for (photograph, category, annotation), thing in zip(found, objects[name], strict=True):
        assert (photograph, category) == (thing.photograph, thing.name)
        assert keeps(annotation, thing), (annotation, thing)


def test_a_second_run_does_nothing_and_a_touch_neither(runs: Any) -> None:
    made = runs[0]
    for split in made.splits():
        label_file(split).touch()
        (split["images"] / "a.png").touch()
    assert "Nothing to be done" in made.snakemake().text


def test_an_edit_of_one_file_of_labels_reruns_prepare(runs: Any, tmp_path: Path) -> None:
    made = runs[0].copy(tmp_path / "runs")
    for split in made.splits():
        edit(label_file(split))
    assert made.prepared() == set(RUNS.values())


def test_a_replaced_photograph_reruns_prepare(runs: Any, tmp_path: Path) -> None:
    made = runs[0].copy(tmp_path / "runs")
    for split in made.splits():
        path = split["images"] / "a.png"
        Image.fromarray(255 - np.asarray(Image.open(path))).save(path)
    assert made.prepared() == set(RUNS.values())


def label_file(split: Mapping[str, Path]) -> Path:
    """The file of labels, or where there are many that of the photograph a.png."""
    source = split["annotations"]
    of_yolo = split["images"].parent / "labels" / "a.txt"
    inside = (source / "Annotations" / "a.xml", source / "a.json", source / "labels.json")
    return next(path for path in (of_yolo, *inside, source) if path.is_file())


def edit(path: Path) -> None:
    """Write other bytes that say the same."""
    if path.suffix == ".parquet":
        pq.write_table(pq.read_table(path), path, compression="none")
    else:
        path.write_bytes(path.read_bytes() + b"\n")


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Drawn]]:
    """Points of the same objects, scored by the masks of VOC and by those of COCO.

    The former train a detector, too, which predicts photographs with YOLO's outlines.
    """
    folder, objects = tmp_path_factory.mktemp("scored"), drawn("mask")
    truth = {"dataset": {"ground_truth": True}, "prepare": {"labels": "point"}}
    of_voc = voc(folder / "voc", objects, pointed=True)
    of_coco = coco(folder / "coco", objects, pointed=True)
    held_out = yolo(folder / "yolo", drawn("mask", seed=1))
    detector = {"dataset": {"val": below(held_out, folder)}, "train": {"enabled": True}}
    runs = Runs(folder)
    configs = {
        "voc": settings(below(of_voc, folder), {"run": "voc"}, truth, detector),
        "coco": settings(below(of_coco, folder), {"run": "coco"}, truth),
    }
    runs.configure(configs, [f"{run}/sapnet/evaluate/metrics.json" for run in configs])
    runs.snakemake()
    return folder / "results", objects


def metrics_of(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "sapnet/evaluate/metrics.json").read_text())
    return found


def flat(values: Any, path: str = "") -> dict[str, Any]:
    """Each number by the keys that lead to it."""
    if not isinstance(values, dict | list):
        return {path: values}
    pairs = values.items() if isinstance(values, dict) else enumerate(values)
    return {
        name: each for key, value in pairs for name, each in flat(value, f"{path}/{key}").items()
    }


def test_masks_of_another_format_score_as_those_of_coco(
    scored: tuple[Path, list[Drawn]],
) -> None:
    results, objects = scored
    found, wanted = metrics_of(results / "voc"), metrics_of(results / "coco")
    assert found["counts"]["scored"] == wanted["counts"]["scored"] == len(objects)
    assert found["label_quality"]["choices"]["pseudo_label"]["mask_iou"] > 0.8
    numbers = flat(wanted["label_quality"])
    assert flat(found["label_quality"]) == pytest.approx(numbers, nan_ok=True)


def test_translated_masks_are_those_of_the_files(scored: tuple[Path, list[Drawn]]) -> None:
    folder, objects = scored[0] / "voc" / "translate", scored[1]
    for name, wanted in (("train", objects), ("val", drawn("mask", seed=1))):
        data = json.loads((folder / f"{name}.json").read_text())
        codes = sorted(entry["segmentation"]["counts"] for entry in data["annotations"])
        assert codes == sorted(thing.rle["counts"].decode() for thing in wanted)
        assert data["categories"] == [{"id": 1, "name": "ball"}, {"id": 2, "name": "crate"}]


def test_a_detector_predicts_photographs_labelled_in_another_format(
    scored: tuple[Path, list[Drawn]],
) -> None:
    run, objects = scored[0] / "voc", scored[1]
    detector = metrics_of(run)["detector"]
    assert (detector["images"], detector["objects"]) == (len(SIZES), len(objects))
    predictions = json.loads((run / "sapnet/predict/torchvision/predictions.json").read_text())
    assert predictions
    assert {entry["category_id"] for entry in predictions} <= {1, 2}


def test_a_folder_of_labelme_files_goes_through_the_whole_dag(fresh: Workspace) -> None:
    objects = drawn()
    train = below(labelme(fresh.folder / "train", objects), fresh.folder)
    val = below(labelme(fresh.folder / "val", drawn("mask", seed=1)), fresh.folder)
    dataset = {"source": "files", "train": train, "val": val, "ground_truth": False}
    fresh.configure(merged(TINY, {"shards": 1, "dataset": dataset, "prepare": {"labels": "given"}}))
    outcome = fresh.snakemake()
    assert outcome.code == 0, outcome.text
    assert outcome.jobs().keys() >= {"fit_select", "fit_refine", "translate", "train", "evaluate"}
    found = annotations(fresh.results())
    for (photograph, category, annotation), thing in zip(found, objects, strict=True):
        assert (photograph, category) == (thing.photograph, thing.name)
        assert keeps(annotation, thing), (annotation, thing)
    assert metrics_of(fresh.results())["detector"]["objects"] == len(objects)
