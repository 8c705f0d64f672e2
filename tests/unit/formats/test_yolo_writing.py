from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from stages.formats.pseudo_label_file import opened_labels
from stages.formats.yolo_writing import write
from tests.written_labels import IMAGES, MASKS, SIZE, annotation, lone_box, usual, write_labels


def lines(folder: Path, annotations: Any) -> dict[str, list[str]]:
    (folder / "out").mkdir()
    write(opened_labels(write_labels(folder, annotations), "keep"), folder / "out")
    labels = folder / "out" / "labels"
    files = sorted(labels.rglob("*.txt"))
    return {str(path.relative_to(labels)): path.read_text().splitlines() for path in files}


def painted(line: str) -> np.ndarray:
    shares = np.array(line.split()[1:], dtype=np.float32).reshape(-1, 2)
    picture = np.zeros(SIZE, np.uint8)
    return cv2.fillPoly(picture, [(shares * SIZE[::-1]).astype(np.int32)], 1).astype(bool)


def test_images_without_objects_have_empty_files(tmp_path: Path) -> None:
    assert lines(tmp_path, []) == {"empty.txt": [], "sub/a.b.txt": [], "ü <&>.txt": []}


def test_classes_are_numbered_from_0_in_the_order_of_their_ids(tmp_path: Path) -> None:
    found = lines(tmp_path, usual())
    assert [line.split()[0] for line in found["sub/a.b.txt"]] == ["0", "0", "0"]
    assert [line.split()[0] for line in found["ü <&>.txt"]] == ["1", "1"]
    data = yaml.safe_load((tmp_path / "out" / "data.yaml").read_text())
    names = ["cat", "dog & <co>", "unseen"]
    assert data == {"train": "images.txt", "val": "images.txt", "names": names}


def test_photographs_are_listed_from_the_folder_images_on(tmp_path: Path) -> None:
    lines(tmp_path, [])
    listed = (tmp_path / "out" / "images.txt").read_text().splitlines()
    assert listed == ["./images/sub/a.b.jpg", "./images/empty.png", "./images/ü <&>.png"]


def test_a_folder_images_in_a_name_is_refused(tmp_path: Path) -> None:
    images = [{**IMAGES[0], "file_name": "train/images/a.jpg"}]
    labels = opened_labels(write_labels(tmp_path, [], images), "keep")
    with pytest.raises(ValueError, match=r"image train/images/a\.jpg: YOLO's readers look"):
        write(labels, tmp_path)


def test_shares_are_of_the_images_sides(tmp_path: Path) -> None:
    (line,) = lines(tmp_path, [annotation(1, 4, MASKS[2])])["sub/a.b.txt"]
    assert line.split()[1:5] == ["0.300667", "0.451000", "0.466000", "0.451000"]


def test_a_painter_gives_back_masks_with_holes(tmp_path: Path) -> None:
    ring, parts, small = lines(tmp_path, usual())["sub/a.b.txt"]
    assert (painted(ring) == MASKS[0]).all()
    assert (painted(small) == MASKS[2]).all()
    assert painted(parts)[MASKS[1]].all()  # and a cut, a pixel wide, between its fragments
    assert np.count_nonzero(painted(parts)) - np.count_nonzero(MASKS[1]) <= 20


def test_what_has_no_trusted_mask_is_its_box(tmp_path: Path) -> None:
    (line,) = lines(tmp_path, [lone_box(1, 5)])["empty.txt"]
    shares = np.array(line.split()[1:], float).reshape(4, 2) * SIZE[::-1]
    assert np.allclose(shares, [(1.5, 2.25), (30, 2.25), (30, 12.25), (1.5, 12.25)], atol=1e-4)


def test_counts_say_what_is_lost(tmp_path: Path) -> None:
    counts = write(opened_labels(write_labels(tmp_path, usual()), "keep"), tmp_path)
    assert list(counts.values()) == [3, 5, 1, 1]
