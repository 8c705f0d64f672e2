import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from stages.formats.labelme_writing import write
from stages.formats.pseudo_label_file import opened_labels
from tests.written_labels import MASKS, SIZE, usual, write_labels


def pages(folder: Path, annotations: Any) -> dict[str, Any]:
    write(opened_labels(write_labels(folder, annotations), "keep"), folder / "out")
    found = sorted((folder / "out").rglob("*.json"))
    return {str(path.relative_to(folder / "out")): json.loads(path.read_text()) for path in found}


def test_a_photograph_without_objects_has_a_file_without_shapes(tmp_path: Path) -> None:
    found = pages(tmp_path, [])
    assert set(found) == {"empty.json", "sub/a.b.json", "ü <&>.json"}
    assert found["sub/a.b.json"] == {
        **{"version": "5.5.0", "flags": {}, "shapes": [], "imagePath": "a.b.jpg"},
        **{"imageData": None, "imageHeight": 20, "imageWidth": 30},
    }


def test_fragments_of_an_object_are_grouped(tmp_path: Path) -> None:
    shapes = pages(tmp_path, usual())["sub/a.b.json"]["shapes"]
    assert [shape["group_id"] for shape in shapes] == [None, 2, 2, None]
    assert {shape["label"] for shape in shapes} == {"cat"}
    assert shapes[1]["description"] == "score 0.7500, annotation 12"


def test_what_has_no_trusted_mask_is_a_rectangle(tmp_path: Path) -> None:
    box, polygon = pages(tmp_path, usual())["ü <&>.json"]["shapes"]
    assert box["shape_type"] == "rectangle"
    assert box["points"] == [[1.5, 2.25], [30.0, 12.25]]
    assert polygon["shape_type"] == "polygon"
    assert polygon["label"] == "dog & <co>"


def test_a_painter_as_labelmes_gives_back_the_masks(tmp_path: Path) -> None:
    shapes = pages(tmp_path, usual()[:2])["sub/a.b.json"]["shapes"]
    for mask, found in ((MASKS[0], shapes[:1]), (MASKS[1], shapes[1:])):
        picture = Image.new("1", SIZE[::-1])
        for shape in found:
            points = [tuple(point) for point in shape["points"]]
            ImageDraw.Draw(picture).polygon(points, outline=1, fill=1)
        assert (np.asarray(picture) == mask).all()


def test_counts_say_what_became_rectangles(tmp_path: Path) -> None:
    counts = write(opened_labels(write_labels(tmp_path, usual()), "keep"), tmp_path)
    assert counts == {"images": 3, "objects": 5, "shapes": 6, "rectangles in place of a mask": 1}
