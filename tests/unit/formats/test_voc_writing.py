from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from stages.formats.pseudo_label_file import opened_labels
from stages.formats.voc_writing import colour_map, labelmap, write
from stages.formats.writer import Counts
from tests.pseudo_labels import rectangle_mask
from tests.written_labels import PARTS, RING, SIZE, SMALL, annotation, lone_box, usual, write_labels


def written(folder: Path, annotations: Any) -> Counts:
    return write(opened_labels(write_labels(folder, annotations), "keep"), folder)


def picture(folder: Path, kind: str, stem: str = "sub/a.b") -> np.ndarray:
    with Image.open(folder / kind / f"{stem}.png") as image:
        assert image.mode == "P"
        return np.asarray(image)


def boxes(folder: Path, stem: str) -> list[list[int]]:
    root = ET.parse(folder / "Annotations" / f"{stem}.xml").getroot()
    return [[int(node.text or "") for node in box] for box in root.iter("bndbox")]


def test_a_photograph_without_objects_has_a_page_and_black_pictures(tmp_path: Path) -> None:
    assert list(written(tmp_path, []).values()) == [3, 0, 0, 0, 0, 0]
    assert not picture(tmp_path, "SegmentationObject").any()
    root = ET.parse(tmp_path / "Annotations" / "sub" / "a.b.xml").getroot()
    assert [root.findtext(key) for key in ("folder", "filename", "segmented")] == [
        *("", "sub/a.b.jpg", "0"),
    ]
    assert [root.findtext(f"size/{key}") for key in ("width", "height", "depth")] == [
        *("30", "20", "3"),
    ]
    names = (tmp_path / "ImageSets" / "Main" / "default.txt").read_text()
    assert names == "sub/a.b\nempty\nü <&>\n"
    assert (tmp_path / "ImageSets" / "Segmentation" / "default.txt").read_text() == names


def test_boxes_count_from_1_and_hold_their_last_pixel(tmp_path: Path) -> None:
    written(tmp_path, [annotation(1, 4, rectangle_mask(SIZE, (0, 0, 1, 2))), lone_box(2, 7)])
    assert boxes(tmp_path, "sub/a.b") == [[1, 1, 1, 2]]
    assert boxes(tmp_path, "ü <&>") == [[2, 3, 30, 13]]


def test_object_k_is_value_k_and_small_ones_lie_on_top(tmp_path: Path) -> None:
    counts = written(tmp_path, usual())
    found = picture(tmp_path, "SegmentationObject")
    assert (found == 3).sum() == SMALL.sum()
    assert (found == 2).sum() == PARTS.sum()
    assert ((found == 1) == (RING & ~SMALL)).all()
    assert counts["pixels under others"] == (RING & SMALL).sum() == 6
    assert counts["boxes without a trusted mask"] == 1
    assert set(np.unique(picture(tmp_path, "SegmentationObject", "ü <&>"))) == {0, 2}


def test_classes_have_the_value_of_their_line_in_the_labelmap(tmp_path: Path) -> None:
    written(tmp_path, usual())
    assert set(np.unique(picture(tmp_path, "SegmentationClass"))) == {0, 1}
    assert set(np.unique(picture(tmp_path, "SegmentationClass", "ü <&>"))) == {0, 2}
    assert (tmp_path / "labelmap.txt").read_text().splitlines() == [
        "# label:color_rgb:parts:actions",
        "background:0,0,0::",
        "cat:128,0,0::",
        "dog & <co>:0,128,0::",
        "unseen:128,128,0::",
    ]


def test_names_are_escaped(tmp_path: Path) -> None:
    written(tmp_path, usual())
    root = ET.parse(tmp_path / "Annotations" / "ü <&>.xml").getroot()
    assert root.findtext("filename") == "ü <&>.png"
    assert root.findtext("object/name") == "dog & <co>"


def test_an_object_that_others_cover_is_counted(tmp_path: Path) -> None:
    counts = written(tmp_path, [annotation(1, 4, SMALL), annotation(2, 4, SMALL)])
    assert (counts["hidden"], counts["pixels under others"]) == (1, SMALL.sum())


def test_objects_beyond_254_have_a_box_and_no_pixels(tmp_path: Path) -> None:
    pixels = [rectangle_mask(SIZE, (n % 30, n // 30, n % 30 + 1, n // 30 + 1)) for n in range(257)]
    counts = written(tmp_path, [annotation(n, 4, mask) for n, mask in enumerate(pixels)])
    assert counts["objects beyond 254"] == 3
    assert picture(tmp_path, "SegmentationObject").max() == 254
    assert len(boxes(tmp_path, "sub/a.b")) == 257


def test_colours_are_vocs() -> None:
    colours = np.array(colour_map()).reshape(-1, 3).tolist()
    assert colours[:4] == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    assert colours[15] == [192, 128, 128]  # person
    assert colours[255] == [224, 224, 192]  # void


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([str(n) for n in range(255)], "255 classes, and VOC's pictures number 254"),
        (["a:b"], "class 'a:b' cannot stand"),
        (["a\nb"], "cannot stand"),
        (["background"], "is the first class"),
    ],
    ids=["too many", "colon", "line", "background"],
)
def test_classes_that_the_format_cannot_hold_are_refused(names: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        labelmap(names)
