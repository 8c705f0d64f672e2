"""Headers are read without the libraries that wrote them; what others made is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from snakemake.persistence import MetadataRecord
from snakemake.persistence.file import FilePersistence

from stages.formats.coco_writing import write_coco
from stages.learning.model_file import save_model
from stages.planning.strangers import foreign, header_of, unrecorded

HEADER = {"schema": "images", "version": 2, "seed": 3, "settings": {"sam": {"model": "tiny"}}}
Write = Callable[[Path, dict[str, Any]], None]


def _table(path: Path, header: dict[str, Any]) -> None:
    columns = {f"column_{number}": np.arange(5) for number in range(40)}
    table = pa.table(columns).replace_schema_metadata({"maskmill": json.dumps(header)})
    pq.write_table(table, path)


def _export(path: Path, header: dict[str, Any]) -> None:
    names = ("image_id", "file_name", "height", "width", "orientation", "black", "white")
    images = pa.table({name: [1] for name in names})
    categories = pa.table({"category_id": [1], "name": ["a"], "supercategory": [""]})
    info = {"description": "labels", "maskmill": header}
    with path.open("w") as file:
        write_coco(file, info, images, categories, iter([]))


def _metrics(path: Path, header: dict[str, Any]) -> None:
    path.write_text(json.dumps({"counts": {}, "provenance": header}, indent=1))


def _model(path: Path, header: dict[str, Any]) -> None:
    save_model(path, torch.nn.Linear(3, 4), header)


WRITERS: dict[str, Write] = {
    "images.parquet": _table,
    "pseudo_labels.json": _export,
    "metrics.json": _metrics,
    "model.pt": _model,
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("length", [0, 100, 123, 20_000, 3_000_000])
def test_a_header_comes_back(name: str, length: int, tmp_path: Path) -> None:
    header = {**HEADER, "code": ["é" * length]}
    WRITERS[name](tmp_path / name, header)
    assert header_of(tmp_path / name) == header


@pytest.mark.parametrize("name", WRITERS)
def test_a_damaged_file_has_no_header(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](path, HEADER)
    data = path.read_bytes()
    for end in (0, 3, 8, len(data) // 2, len(data) - 3):
        path.write_bytes(data[:end])
        assert header_of(path) is None or name == "pseudo_labels.json"
    for start in range(0, len(data), max(1, len(data) // 50)):
        path.write_bytes(data[:start] + b"\xff{\x00" + data[start + 3 :])
        header_of(path)  # whatever is read, nothing is raised
    path.write_bytes(b"\x00" * len(data))
    assert header_of(path) is None


OTHERS = {
    "a table of others": ("a.parquet", lambda path: pq.write_table(pa.table({"a": [1]}), path)),
    "detections": ("predictions.json", lambda path: path.write_text('[{"image_id": 1}]')),
    "facts": ("training.json", lambda path: path.write_text('{"engine": "torchvision"}')),
    "COCO of others": ("coco.json", lambda path: path.write_text('{"info": 3,\n"images": []}')),
    "weights of others": ("a.pt", lambda path: torch.save({"state": {}}, path)),
    "a folder": ("b.parquet", lambda path: path.mkdir()),
    "a picture": ("a.png", lambda path: path.write_bytes(b"")),
    "nothing": ("c.json", lambda path: None),
}


@pytest.mark.parametrize(("name", "write"), OTHERS.values(), ids=list(OTHERS))
def test_what_has_no_header_is_nobodys(
    name: str, write: Callable[[Path], object], tmp_path: Path
) -> None:
    write(tmp_path / name)
    assert header_of(tmp_path / name) is None
    assert foreign(tmp_path / name, settings={}, seed=0) is None


SETTINGS = {"sam": {"model": "tiny"}, "scales": [1.0, 2.0], "clean": {}, "weights": None}


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ({}, None),
        ({"seed": 7, "settings": SETTINGS}, None),
        ({"seed": 0, "settings": SETTINGS}, "seed 0 (planned: 7)"),
        ({"seed": 7, "settings": {}}, "clean absent (planned: {}), sam.model absent"),
        (
            {"seed": 7, "settings": {**SETTINGS, "sam": {"model": "vit_h"}}},
            'sam.model "vit_h" (planned: "tiny")',
        ),
        (
            {"seed": 7, "settings": {**SETTINGS, "old": None}},
            "old null (planned: absent)",
        ),
        (
            {"seed": 8, "settings": {key: 1 for key in SETTINGS}},
            "made with seed 8 (planned: 7), clean 1 (planned: {}), sam 1 (planned: absent) and 3 "
            "more",
        ),
        ({"seed": 7, "settings": {}, "schema": "images", "version": 1}, "edition 1"),
        ({"seed": 7, "settings": SETTINGS, "schema": "refinements", "version": 1}, "edition 1"),
        ({"seed": 7, "settings": SETTINGS, "schema": "trail", "version": 1}, None),
    ],
)
def test_what_was_made_with_other_values_is_named(
    header: dict[str, Any], told: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "prepare" / "images.parquet"
    path.parent.mkdir()
    _table(path, header)
    settings = {**SETTINGS, "scales": (1, 2)}  # as planning may have them
    sentence = foreign(path, settings=settings, seed=7)
    if told is None:
        assert sentence is None
        return
    assert sentence
    assert sentence.startswith(f"{path}: made ")
    assert told in sentence
    assert sentence.endswith(f"remove {path.parent} and run snakemake again.")


def test_outputs_without_a_record_of_snakemake_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    short = [Path(f"results/tiny/prepare/{name}.parquet") for name in ("ä b", "images")]
    deep = Path("results", *["long" * 20] * 6, "shard-0000-of-0004.parquet")
    paths = [*short, deep, deep.with_name("other.parquet")]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    missing = Path("results/tiny/missing.parquet")
    assert unrecorded([*paths, missing], Path(".snakemake")) == paths
    persistence = FilePersistence(path=tmp_path / ".snakemake")
    for path in (short[0], deep):
        persistence._write_record(str(path), MetadataRecord(rule="prepare"))
    assert unrecorded([*paths, missing], Path(".snakemake")) == [short[1], paths[3]]
