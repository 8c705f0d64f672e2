"""What SIM's teacher learns from: boxes, their classes, and masks of the round before."""

from pathlib import Path

import pyarrow as pa
import pytest

from stages.learning.sim_index import TeacherIndex, opened_objects
from stages.tables.table import read_table, write_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.crop_set import CropSet, build_crop_set
from tests.teacher_set import write_former


@pytest.fixture
def drawn(tmp_path: Path) -> CropSet:
    return build_crop_set(tmp_path, images=3, salient=1)


def index_of(drawn: CropSet, *former: Path) -> TeacherIndex:
    folder = drawn.folder
    return opened_objects(folder / "images.parquet", folder / "weak_labels.parquet", former)


def relabel(drawn: CropSet, *changes: dict[str, object]) -> None:
    """Change the labels, row after row."""
    path = drawn.folder / "weak_labels.parquet"
    rows = read_table(path, WEAK_LABELS).to_pylist()
    rows = [{**row, **change} for row, change in zip(rows, changes, strict=True)]
    write_table(path, pa.Table.from_pylist(rows, schema=WEAK_LABELS.schema), WEAK_LABELS, {})


def test_labels_without_boxes_are_refused(tmp_path: Path) -> None:
    points = build_crop_set(tmp_path / "points", images=2, salient=1, kind="point")
    with pytest.raises(ValueError, match=r"no boxes to learn from\. Set prepare\.labels: box"):
        index_of(points)


def test_classes_are_places_among_those_that_stand(drawn: CropSet) -> None:
    relabel(drawn, {"category_id": 90}, {"category_id": 2, "status": "deleted"}, {"category_id": 7})
    index = index_of(drawn)
    assert index.category_ids == [7, 90]
    assert index.image_ids == [1, 3]
    assert [index.objects[i].classes.tolist() for i in (1, 3)] == [[1], [0]]
    assert index.objects[1].boxes.shape == (1, 4)
    assert index.tally() == "2 boxes of 2 classes"


def test_masks_of_the_round_before_are_found_by_instance(drawn: CropSet, tmp_path: Path) -> None:
    path = write_former(drawn, tmp_path / "former.parquet")
    relabel(drawn, {}, {"instance_id": 99}, {})
    index = index_of(drawn, path)
    found = [index.objects[i].former[0] for i in (1, 2, 3)]
    assert [row and row["instance_id"] for row in found] == [1, None, 3]
    assert index.tally() == "3 boxes of 1 classes, 2 pseudo masks"


def test_masks_that_are_not_trusted_are_left_out(drawn: CropSet, tmp_path: Path) -> None:
    path = write_former(drawn, tmp_path / "former.parquet", mask_weight=0.0)
    assert index_of(drawn, path).objects[1].former == [None]
