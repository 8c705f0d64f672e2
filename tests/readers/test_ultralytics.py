"""Ultralytics takes folder yolo as it is; its converter loses class 0, and holes of codes."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from ultralytics.data.converter import convert_coco
from ultralytics.data.dataset import YOLODataset
from ultralytics.data.utils import check_det_dataset, polygon2mask

from tests.written_labels import PARTS, RING, SIZE, SMALL


def _converted(written: Path, name: str, folder: Path) -> dict[str, list[list[str]]]:
    """Lines of the converter's files, by the photograph."""
    (folder / "in").mkdir()
    shutil.copy(written / name / "annotations.json", folder / "in")
    out = folder / "out"
    convert_coco(str(folder / "in"), str(out), use_segments=True, cls91to80=False)
    root = out / "labels" / "annotations"
    return {
        str(path.relative_to(root).with_suffix("")): [
            line.split() for line in path.read_text().splitlines()
        ]
        for path in root.rglob("*.txt")
    }


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("coco_polygons", "-1"),
        ("coco_polygons_from_one", "0"),
        ("coco_rle", "-1"),
        ("coco_rle_from_one", "0"),
    ],
)
def test_the_converter_takes_one_from_every_class(
    name: str, first: str, written: Path, tmp_path: Path
) -> None:
    lines = _converted(written, name, tmp_path)["sub/a.b"]
    assert [line[0] for line in lines] == [first] * 3


def test_the_converter_keeps_holes_of_polygons_and_fills_those_of_codes(
    written: Path, tmp_path: Path
) -> None:
    for name, corners in (("coco_polygons_from_one", 12), ("coco_rle_from_one", 4)):
        (tmp_path / name).mkdir()
        ring = _converted(written, name, tmp_path / name)["sub/a.b"][0]
        assert len(ring[1:]) == 2 * corners


def test_a_training_finds_labels_behind_a_link_to_the_photographs(written: Path) -> None:
    data = check_det_dataset(str(written / "yolo" / "data.yaml"))
    assert data["names"] == {0: "cat", 1: "dog & <co>", 2: "unseen"}
    dataset = YOLODataset(
        img_path=data["train"], data=data, task="segment", augment=False, imgsz=32
    )
    found = {Path(label["im_file"]).name: label for label in dataset.labels}
    assert {name: len(label["cls"]) for name, label in found.items()} == {
        **{"a.b.jpg": 3, "empty.png": 0, "ü <&>.png": 2},
    }
    assert found["ü <&>.png"]["cls"].tolist() == [[1], [1]]
    segments = [segment * SIZE[::-1] for segment in found["a.b.jpg"]["segments"]]
    ring, parts, small = (polygon2mask(SIZE, [s.reshape(-1)]).astype(bool) for s in segments)
    assert np.array_equal(ring, RING)
    assert np.array_equal(small, SMALL)
    assert parts[PARTS].all()  # and a cut between the fragments
