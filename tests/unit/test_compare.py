"""compare: one table of engines from what they wrote, scored here; a sentence for each fault."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from stages import compare

SQUARE = {"bbox": [2, 2, 8, 8], "segmentation": [[2, 2, 10, 2, 10, 10, 2, 10]]}
TRUTH = {
    "images": [{"id": 1, "file_name": "1.png", "height": 16, "width": 16}],
    "categories": [{"id": 5, "name": "thing"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 5, "area": 64, "iscrowd": 0, **SQUARE}],
}


def write(path: Path, value: Any) -> str:
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return str(path)


def engine(folder: Path, name: str, results: list[Any], **facts: Any) -> dict[str, str]:
    """Files of one engine, as train writes them."""
    there = {
        "engine": name,
        "packages": {name: "1.0"},
        "images": 3,
        "annotations": 4,
        "masks_ignored": 0,
        "steps": 2,
        "last_loss": 1.0,
        "dropped": None,
        "pasted": None,
        **facts,
    }
    lines = [{"step": k, "loss": 2.0 / k, "images_per_second": 4.0} for k in (1, 2)]
    return {
        "facts": write(folder / f"{name}.json", there),
        "logs": write(folder / f"{name}.jsonl", "\n".join(map(json.dumps, lines)) + "\n"),
        "predictions": write(folder / f"{name}-predictions.json", results),
    }


def run(folder: Path, engines: list[dict[str, str]], *more: str) -> dict[str, Any]:
    words = [word for k in ("facts", "logs", "predictions") for word in _flag(k, engines)]
    words += ["--val-ground-truth", write(folder / "truth.json", TRUTH)]
    outs = ["--out", str(folder / "engines.json"), "--out-table", str(folder / "engines.md")]
    compare.main([*words, *outs, *more])
    return json.loads((folder / "engines.json").read_text())  # type: ignore[no-any-return]


def _flag(name: str, engines: list[dict[str, str]]) -> list[str]:
    return [f"--{name}", *(entry[name] for entry in engines)]


def hit() -> dict[str, Any]:
    """A detection that is the object itself."""
    return {"image_id": 1, "category_id": 5, "score": 0.9, "bbox": [2, 2, 8, 8]}


def test_engines_are_scored_by_the_same_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mask = {"segmentation": {"size": [16, 16], "counts": _square_counts()}}
    rows = [
        engine(tmp_path, "torchvision", [{**hit(), **mask}]),
        engine(tmp_path, "detectron2", []),
    ]
    numbers = run(tmp_path, rows)
    scores = [row["detector"]["segm"]["AP"] for row in numbers["engines"]]
    assert scores == pytest.approx([1.0, 0.0])
    assert [row["detector"]["scored_by"] for row in numbers["engines"]] == ["hotcoco"] * 2
    assert set(numbers["provenance"]["packages"]) == {"hotcoco", "numpy", "pycocotools"}
    text = (tmp_path / "engines.md").read_text()
    assert "| torchvision | 1.0 | 2 | 2.000 | 1.000 | 4.00 | 100.0 |" in text
    printed = capsys.readouterr()
    assert printed.out == text
    assert "compare: torchvision, detectron2; not installed: none." in printed.err


def _square_counts() -> str:
    pixels = np.zeros((16, 16), np.uint8, order="F")
    pixels[2:10, 2:10] = 1
    return str(coco_mask.encode(pixels)["counts"].decode())


def test_an_engine_that_is_not_installed_is_named(tmp_path: Path) -> None:
    numbers = run(tmp_path, [engine(tmp_path, "torchvision", [])], "--absent", "detectron2")
    assert numbers["absent"] == ["detectron2"]
    assert "detectron2: not installed here" in (tmp_path / "engines.md").read_text()


def test_engines_that_saw_other_labels_are_refused(tmp_path: Path) -> None:
    rows = [engine(tmp_path, "torchvision", []), engine(tmp_path, "detectron2", [], annotations=5)]
    with pytest.raises(ValueError, match="detectron2 was trained on 5 annotations, torch"):
        run(tmp_path, rows)


def test_a_file_too_few_is_refused(tmp_path: Path) -> None:
    row = engine(tmp_path, "torchvision", [])
    words = ["--facts", row["facts"], row["facts"], "--logs", row["logs"]]
    words += ["--predictions", row["predictions"], "--out", "x", "--out-table", "y"]
    with pytest.raises(ValueError, match=r"have 2, 1, 1 files\. Give one of each for every engine"):
        compare.main(words)
