"""label_cost: three files from metrics and tables of kinds and seeds, and what is refused."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from stages import label_cost
from stages.tables.table import rows_table, write_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.costed import (
    label,
    pointed_metrics,
    supervised_metrics,
    tagged_metrics,
    write_classes,
    write_labels,
)

KINDS = ("tags", "points", "boxes", "mix", "fully_supervised")
LABELS = {  # of one image, in two classes; the other four images have none
    "tags": {"tag": 2},
    "points": {"point": 6},
    "boxes": {"box": 6},
    "mix": {"point": 4, "mask": 2},
    "fully_supervised": {"point": 6},  # the run's own
}
# by hand: 5 images of 4 classes, and 18 classes are not asked for where 2 are labelled
SECONDS = {
    "tags": 20 / 5,
    "points": (18 + 2 * 2.4 + 4 * 0.9) / 5,
    "boxes": (18 + 6 * 7) / 5,
    "mix": (18 + 2 * 2.4 + 2 * 0.9 + 2 * 79.2) / 5,
    "fully_supervised": (18 + 40 * 79.2) / 5,
}


def metrics_of(kind: str, seed: int) -> dict[str, Any]:
    worth = 0.2 + 0.1 * KINDS.index(kind) + 0.01 * seed
    if kind == "tags":
        return tagged_metrics(worth)
    return supervised_metrics(worth) if kind == "fully_supervised" else pointed_metrics(worth)


def run(
    folder: Path, kinds: Sequence[str] = KINDS, changed: dict[str, Any] | None = None, *more: str
) -> dict[str, Any]:
    words: dict[str, list[str]] = {"metrics": [], "weak-labels": [], "categories": []}
    for kind in kinds:
        table = write_labels(folder / f"{kind}.parquet", LABELS[kind])
        for seed in (1, 2):
            path = folder / f"{kind}-{seed}.json"
            path.write_text(json.dumps((changed or {}).get(kind) or metrics_of(kind, seed)))
            words["metrics"].append(str(path))
            words["weak-labels"].append(str(table))
            words["categories"].append(str(write_classes(folder / "classes.parquet", 4)))
    argv = [word for name, values in words.items() for word in (f"--{name}", *values)]
    argv += ["--variants", *kinds, "--seeds", "1", "2"]
    argv += ["--supervised", "fully_supervised"] if "fully_supervised" in kinds else []
    for name, kind in (("out", "json"), ("out-table", "md"), ("out-figure", "png")):
        argv.append(f"--{name}={folder / f'label_cost.{kind}'}")
    label_cost.main([*argv, *more])
    return json.loads((folder / "label_cost.json").read_text())  # type: ignore[no-any-return]


def test_without_metrics_there_is_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        run(tmp_path, ())


def test_seconds_are_counted_out_of_the_tables(tmp_path: Path) -> None:
    kinds = run(tmp_path)["kinds"]
    for name, wanted in SECONDS.items():
        assert kinds[name]["seconds"]["per_seed"] == pytest.approx([wanted, wanted])
    assert list(kinds) == sorted(SECONDS, key=SECONDS.__getitem__)  # the cheapest first


def test_other_seconds_change_what_they_are_of(tmp_path: Path) -> None:
    free = json.dumps({"seconds": {"tag": 0, "first_point": 0, "point": 1}})
    kinds = run(tmp_path, KINDS[:2], None, "--settings", free)["kinds"]
    assert [kinds[name]["seconds"]["mean"] for name in KINDS[:2]] == [0, pytest.approx(4 / 5)]


def test_deleted_labels_cost_nothing(tmp_path: Path) -> None:
    rows = [label(1, "point", 1), label(2, "point", 1, status="deleted")]
    path = tmp_path / "labels.parquet"
    write_table(path, rows_table(WEAK_LABELS, rows), WEAK_LABELS, {})
    assert label_cost.labels_in(path) == [(1, 1, "point")]


def test_all_files_tell_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = run(tmp_path)
    assert numbers["kinds"]["points"]["mask_ap"]["per_seed"] == pytest.approx([0.31, 0.32])
    assert numbers["kinds"]["points"]["share"]["per_seed"] == pytest.approx([0.31 / 0.61, 32 / 62])
    assert numbers["kinds"]["tags"]["mask_iou"]["mean"] is None
    assert numbers["kinds"]["fully_supervised"]["label_ap"]["mean"] is None
    pairs = [(entry["name"], entry["over"]) for entry in numbers["neighbours"]]
    assert pairs == list(zip(KINDS[1:], KINDS, strict=False))
    assert all(entry["mask_ap"]["told"] for entry in numbers["neighbours"])
    text = (tmp_path / "label_cost.md").read_text()
    for words in ("| **tags** | 4.0 ± 0.0 |", "**boxes** over points", "masks 79.2 s"):
        assert words in text
    assert (tmp_path / "label_cost.png").read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr()
    assert printed.out == text
    assert "label_cost: 2 seeds; seconds an image: tags 4.0, points 5.3, boxes 12.0" in printed.err


def test_equal_files_give_equal_bytes(tmp_path: Path) -> None:
    names = [f"label_cost.{kind}" for kind in ("json", "md", "png")]
    run(tmp_path)
    once = [(tmp_path / name).read_bytes() for name in names]
    run(tmp_path)
    assert [(tmp_path / name).read_bytes() for name in names] == once
    assert str(tmp_path).encode() not in b"".join(once)


def test_one_kind_stands_alone(tmp_path: Path) -> None:
    numbers = run(tmp_path, ("points",))
    assert numbers["neighbours"] == []
    assert numbers["kinds"]["points"]["share"]["mean"] is None


REFUSED = [
    ({"boxes": {**pointed_metrics(0.3), "detector": None}}, "variant boxes, seed 1: no detector"),
    ({"boxes": supervised_metrics(0.3) | {"counts": {"images": 6}}}, "boxes rest on 6 images"),
    (
        {"mix": pointed_metrics(0.3, counts={"images": 5, "instances": 9, "without_truth": 1})},
        "mix rest on 8 objects, those of points on 40",
    ),
    (
        {"fully_supervised": {**supervised_metrics(0.3), "training": None}},
        "lack the facts of its training",
    ),
]


@pytest.mark.parametrize(("changed", "sentence"), REFUSED, ids=["detector", "images", "n", "facts"])
def test_what_cannot_be_compared_is_refused(
    changed: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=sentence):
        run(tmp_path, KINDS, changed)


def test_a_file_too_few_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--metrics: 10 files for 1 variants and 2 seeds"):
        run(tmp_path, KINDS, None, "--variants", "tags")
