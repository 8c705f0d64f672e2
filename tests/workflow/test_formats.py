"""Labels in every format that people have, from their files to pseudo-labels and to a detector."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.drawn_objects import Drawn
from tests.label_files import FILES
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
    assert said in text.splitlines()
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
