"""The benchmark of a second look: what changed, and what is clearly better or worse."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.bench_relabel import main, told
from stages.geometry.masks import masks_to_rles, written_rle
from stages.tables.pseudo_labels import PSEUDO_LABELS
from tests.sound_rows import pseudo_label_row, write_rows

SIDE = 20
LINES = [  # IoU before, after; the end of the line
    ([], [], "0 objects, 0 changed (0.0 %), mask IoU nan to nan, 0 clear gains, 0 clear losses"),
    ([0.5, 0.5, 0.5], [0.5, 0.625, 0.25], "0.500 to 0.458, 1 clear gains, 1 clear losses"),
    ([0.5, 0.5], [0.55, 0.45], "0.500 to 0.500, 0 clear gains, 0 clear losses"),
]


@pytest.mark.parametrize(("before", "after", "line"), LINES, ids=["none", "clear", "unclear"])
def test_a_gain_is_clear_from_a_difference_on(before: Any, after: Any, line: str) -> None:
    assert told(np.array(before), np.array(after), changed=0, clear=0.1).endswith(line)


def rectangle(width: int) -> Any:
    mask = np.zeros((1, SIDE, SIDE), np.uint8)
    mask[:, :10, :width] = 1
    return masks_to_rles(mask)[0]


def labels(path: Path, widths: dict[int, int]) -> Path:
    """Pseudo-labels of objects of one image each, as wide as is said."""
    rows = [
        pseudo_label_row(
            *(number, number),
            rle=rectangle(width)["counts"],
            box=[0.0, 0, width, 10],
            height=SIDE,
            width=SIDE,
        )
        for number, width in widths.items()
    ]
    return write_rows(path, PSEUDO_LABELS, rows)


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """Three images with an object each, 10 px wide."""
    size = {"height": SIDE, "width": SIDE}
    images = [{"id": number, "file_name": f"{number}.png", **size} for number in (1, 2, 3)]
    whole = {"category_id": 1, "iscrowd": 0, "area": 100, "bbox": [0, 0, 10, 10]}
    entries = [
        {"id": k, "image_id": k, "segmentation": written_rle(rectangle(10)), **whole}
        for k in (1, 2, 3)
    ]
    file = {"images": images, "annotations": entries, "categories": [{"id": 1, "name": "a"}]}
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(file))
    return path


def test_each_object_is_held_against_its_own_truth(
    truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = labels(tmp_path / "before.parquet", {1: 5, 2: 10, 3: 5})
    after = labels(tmp_path / "after.parquet", {1: 10, 2: 5, 3: 5})
    main([str(truth), "--before", str(before), "--after", str(after)])
    wanted = "3 objects, 2 changed (66.7 %), mask IoU 0.667 to 0.667, 1 clear gains, 1 clear losses"
    assert capsys.readouterr().out.strip() == wanted


def test_other_objects_are_refused(truth: Path, tmp_path: Path) -> None:
    before = labels(tmp_path / "before.parquet", {1: 5})
    after = labels(tmp_path / "after.parquet", {2: 5})
    with pytest.raises(SystemExit, match="not about the same objects"):
        main([str(truth), "--before", str(before), "--after", str(after)])
