"""Pseudo-labels as arrays: the same from export's lines and from refine's rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.geometry.masks import masks_to_rles, rle_areas
from stages.scoring.label_shapes import SHAPE_COLUMNS, shapes_in, shapes_of
from stages.tables.grades import GRADES
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import rows_table
from tests.sound_rows import own_grades, pseudo_label_row
from tests.written_labels import write_lines


def rle(width: int = 6) -> dict[str, Any]:
    mask = np.zeros((1, 10, 12), dtype=np.uint8)
    mask[0, 2:6, 3 : 3 + width] = 1
    return masks_to_rles(mask)[0]


def write(path: Path, *entries: dict[str, Any]) -> Path:
    size = {"file_name": "a.png", "height": 10, "width": 12}
    return write_lines(path, entries, [{"id": number, **size} for number in (3, 5)])


def entry(image: int, **more: Any) -> dict[str, Any]:
    shape = {"size": [10, 12], "counts": rle()["counts"].decode()}
    row = {"image_id": image, "category_id": 4, "bbox": [3.0, 2.0, 6.0, 4.0], "score": 0.25}
    own = {"id": 1, "mask_weight": 1.0, "provenance": {"instance_id": 1}}
    return {**row, **own, "segmentation": shape, **more}


def test_nothing_has_no_labels(tmp_path: Path) -> None:
    assert list(shapes_in(write(tmp_path / "a.json"))) == []
    empty = rows_table(PSEUDO_LABELS, []).select(list(SHAPE_COLUMNS))
    assert len(shapes_of(None, None)) == len(shapes_of(empty, None)) == 0


def test_labels_come_image_by_image(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", entry(3), entry(3, category_id=9), entry(5, score=0.5))
    found = dict(shapes_in(path))
    assert list(found) == [3, 5]
    assert found[3].category_id.tolist() == [4, 9]
    assert found[3].boxes.tolist() == [[3, 2, 9, 6]] * 2
    assert rle_areas(found[5].rles or []).tolist() == [24]
    assert found[5].scores is not None
    assert found[5].scores.tolist() == [0.5]


def test_rows_have_the_trained_box_and_mask() -> None:
    facts = {"height": 10, "width": 12, "box": [0.0, 0.0, 11.0, 9.0], "category_id": 4}
    rows = [
        pseudo_label_row(1, -2, rle=rle()["counts"], **facts),
        pseudo_label_row(1, -1, rle=rle()["counts"], **facts, mask_weight=0.0),
    ]
    table = rows_table(PSEUDO_LABELS, rows).select(list(SHAPE_COLUMNS))
    seen = shapes_of(table, rows_table(GRADES, own_grades(rows)))
    assert seen.category_id.tolist() == [4, 4]
    assert seen.boxes.tolist() == [[3, 2, 9, 6], [0, 0, 11, 9]]  # one that is not trusted: its box
    assert rle_areas(seen.rles or []).tolist() == [24, 24]


def test_what_export_did_not_write_is_refused(tmp_path: Path) -> None:
    odd = entry(3)
    del odd["score"]
    with pytest.raises(ValueError, match="annotation 1: it lacks something"):
        list(shapes_in(write(tmp_path / "a.json", odd)))
    with pytest.raises(ValueError, match="image 3 comes after image 5"):
        list(shapes_in(write(tmp_path / "a.json", entry(5), entry(3))))
