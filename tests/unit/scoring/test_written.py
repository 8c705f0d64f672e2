"""Pseudo-labels by image: from export's file line by line, or from rows of refine."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from stages.geometry.masks import masks_to_rles, rle_areas
from stages.scoring.written import GRADED_COLUMNS, WRITTEN_COLUMNS, written_in, written_of
from stages.tables.grades import GRADES
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import rows_table
from tests.sound_rows import Row, grade_row, own_grades, pseudo_label_row
from tests.written_labels import write_lines


def entry(number: int, image: int, instance: int, **more: Any) -> dict[str, Any]:
    mask = np.zeros((1, 10, 12), dtype=np.uint8)
    mask[0, 2:6, 3:9] = 1
    rle = masks_to_rles(mask)[0]
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "bbox": [3.0, 2.0, 6.0, 4.0],
        "segmentation": {"size": rle["size"], "counts": rle["counts"].decode()},
        "score": 0.25,
        "mask_weight": 1.0,
        "provenance": {"instance_id": instance},
        **more,
    }


def write(path: Path, *entries: dict[str, Any]) -> Path:
    size = {"file_name": "a.png", "height": 10, "width": 12}
    return write_lines(path, entries, [{"id": number, **size} for number in (3, 5)])


def tables(rows: list[Row]) -> tuple[pa.Table, pa.Table]:
    """Tables `pseudo_labels`, and `grades` as the method says."""
    return rows_table(PSEUDO_LABELS, rows), rows_table(GRADES, own_grades(rows))


def test_a_file_without_annotations_has_no_labels(tmp_path: Path) -> None:
    assert list(written_in(write(tmp_path / "a.json"))) == []
    assert written_of(None, None) == {}


def test_a_given_box_is_held_against_the_box_of_the_mask(tmp_path: Path) -> None:
    """A mask of 6 x 4 px: in its own box, in one a column wider, and in one of refine's."""
    given = {"provenance": {"instance_id": 30, "box_given": True}}
    wide = {"provenance": {"instance_id": 31, "box_given": True}, "bbox": [3.0, 2.0, 7.0, 4.0]}
    path = write(tmp_path / "a.json", entry(1, 3, 30, **given), entry(2, 3, 31, **wide),
                 entry(3, 3, 32))  # fmt: skip
    [(_, found)] = written_in(path)
    assert found[30].agreement == {"half_open": 1, "authors": pytest.approx(24 / 35)}
    assert found[31].agreement == {
        "half_open": pytest.approx(24 / 28),
        "authors": pytest.approx(24 / 40),
    }
    assert found[32].agreement == {}


@pytest.mark.parametrize("is_given", [False, True])
def test_rows_of_refine_have_it_too(*, is_given: bool) -> None:
    row = {**pseudo_label_row(), "box_given": is_given}
    [label] = written_of(*tables([row])).values()
    assert set(label.agreement) == ({"half_open", "authors"} if is_given else set())


def test_labels_come_image_by_image_with_their_instances(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json",
        entry(1, 3, 30),
        entry(2, 3, 31, mask_weight=0.0),
        entry(3, 5, 7, mask_weight=0.5),
    )
    found = list(written_in(path))
    assert [(image, list(labels)) for image, labels in found] == [(3, [30, 31]), (5, [7])]
    label = found[0][1][30]
    assert label.box.tolist() == [3, 2, 9, 6]
    assert rle_areas([label.rle]).tolist() == [24]
    assert label.score == 0.25
    assert [label.is_trusted for _, labels in found for label in labels.values()] == [
        True,
        False,
        True,
    ]


BAD = [
    ([entry(1, 5, 1), entry(2, 3, 2)], "image 3 comes after image 5"),
    ([entry(1, 3, 1), entry(2, 3, 1)], "instance 1 has two annotations"),
    ([{"id": 9, "image_id": 3, "bbox": [0, 0, 1, 1]}], "annotation 9: it lacks something"),
    ([entry(4, 3, 1, segmentation=[[0, 0, 1, 1, 1, 0]])], "annotation 4: it lacks something"),
]


@pytest.mark.parametrize(
    ("entries", "words"), BAD, ids=["order", "twice", "another's file", "a polygon"]
)
def test_what_export_does_not_write_is_refused(
    tmp_path: Path, entries: list[dict[str, Any]], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        list(written_in(write(tmp_path / "a.json", *entries)))


def test_rows_of_refine_are_what_export_writes_of_them() -> None:
    masks = np.zeros((2, 10, 12), dtype=np.uint8)
    masks[0, 2:6, 3:9] = 1
    size, box = {"height": 10, "width": 12}, [1.0, 2.0, 11.0, 9.5]
    full, empty = (rle["counts"] for rle in masks_to_rles(masks))
    rows = [
        pseudo_label_row(1, 0, rle=full, box=box, **size),
        pseudo_label_row(1, 1, rle=empty, box=box, **size),
        pseudo_label_row(1, 2, rle=full, box=box, mask_weight=0.0, **size),
        pseudo_label_row(1, 3, rle=full, box=box, box_given=True, **size),
    ]
    found = written_of(*tables(rows))
    assert [found[k].box.tolist() for k in range(4)] == [[3, 2, 9, 6], box, box, box]
    assert [found[k].is_trusted for k in range(4)] == [True, False, False, True]


def test_the_columns_that_are_read_are_those_that_are_needed() -> None:
    rows, grades = tables([pseudo_label_row()])
    found = written_of(
        rows.select(WRITTEN_COLUMNS), grades.select([*GRADED_COLUMNS, "instance_id"])
    )
    assert list(found) == [3]


def test_labels_have_the_score_that_they_were_graded_with() -> None:
    rows = rows_table(PSEUDO_LABELS, [pseudo_label_row(score=0.5)])
    grades = rows_table(GRADES, [grade_row(score=0.125)])
    assert written_of(rows, grades)[3].score == 0.125


def test_grades_of_other_objects_are_refused() -> None:
    rows = rows_table(PSEUDO_LABELS, [pseudo_label_row(1, 3)])
    with pytest.raises(ValueError, match="image 1: instance 3 is not in both"):
        written_of(rows, rows_table(GRADES, [grade_row(1, 4)]))
