"""The example that makes a salient set and two parts with boxes, on made files and on PHOTOS."""

import json
import os
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from stages.formats.coco import read_coco
from stages.photographs.salient import is_single, salient_pairs, salient_sample

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "photographs_salient.py"
MAIN = runpy.run_path(str(EXAMPLE))["main"]
SIZE = (20, 30)  # height, width
LARGE, SMALL = (4, 5, 24, 15), (1, 1, 4, 4)  # xyxy
Drawn = tuple[str, dict[str, Any], list[tuple[int, int, int, int]]]  # class, keys, rectangles


def _object(number: int, image: int, drawn: Drawn) -> dict[str, Any]:
    name, keys, rectangles = drawn
    mask = np.zeros(SIZE, np.uint8, order="F")
    for x0, y0, x1, y1 in rectangles:
        mask[y0:y1, x0:x1] = 1
    rle = coco_mask.encode(mask)
    shape = {"size": list(SIZE), "counts": rle["counts"].decode()}
    if len(rectangles) == 1 and keys.get("as") == "polygon":
        x0, y0, x1, y1 = rectangles[0]
        shape = [[x0, y0, x1, y0, x1, y1, x0, y1]]  # type: ignore[assignment]
    box = [float(value) for value in coco_mask.toBbox(rle)]
    own = {"id": number, "image_id": image, "category_id": 1 + "ab".index(name), "iscrowd": 0}
    return {**own, "bbox": box, "area": int(mask.sum()), "segmentation": shape, **keys}


def _file(path: Path, images: list[list[Drawn]]) -> Path:
    """A COCO file and its photographs beside it: image k of gray k."""
    path.parent.mkdir(parents=True, exist_ok=True)
    objects: list[dict[str, Any]] = []
    for k, drawn in enumerate(images, start=1):
        Image.new("RGB", SIZE[::-1], (k, k, k)).save(path.parent / f"{path.stem}{k}.png")
        objects += [_object(len(objects) + j, k, entry) for j, entry in enumerate(drawn, start=1)]
    data = {
        "images": [
            {"id": k, "file_name": f"{path.stem}{k}.png", "height": SIZE[0], "width": SIZE[1]}
            for k in range(1, len(images) + 1)
        ],
        "annotations": objects,
        "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
    }
    path.write_text(json.dumps(data))
    return path


ONE: Drawn = ("a", {}, [LARGE])
SINGLES: list[list[Drawn]] = [
    [],
    [ONE],
    [("a", {"as": "polygon"}, [LARGE]), ("b", {"kind": "part"}, [SMALL])],
    [ONE, ("b", {}, [SMALL])],
    [("a", {}, [SMALL])],
    [("a", {}, [LARGE, (26, 2, 29, 12)])],
    [("a", {"iscrowd": 1}, [LARGE])],
    [("b", {}, [LARGE])],
]


def _salient(out: Path) -> list[str]:
    pairs = salient_pairs(out / "salient" / "images", out / "salient" / "masks", None)
    for image, mask in pairs:
        pixels, found = salient_sample(image, mask)
        assert pixels.shape[:2] == found.shape
        assert is_single(found)
    return [image.name for image, _ in pairs]


def test_large_single_objects_become_salient(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = _file(tmp_path / "in" / "s.json", SINGLES), tmp_path / "out"
    MAIN([str(out), "--salient", str(file)])
    assert _salient(out) == ["s-s2.png", "s-s3.png", "s-s8.png"]
    said = "left out: 1 in pieces, 3 not of one object, 1 small"
    assert f"salient: 3 photographs; {said}" in capsys.readouterr().out
    pixels, found = salient_sample(
        out / "salient" / "images" / "s-s3.png", out / "salient" / "masks" / "s-s3.png"
    )
    assert (pixels == 3).all()
    rectangle = np.zeros(SIZE, bool)
    rectangle[LARGE[1] : LARGE[3], LARGE[0] : LARGE[2]] = True
    np.testing.assert_array_equal(found, rectangle)


def test_limits_and_classes_can_be_set(tmp_path: Path) -> None:
    file, out = _file(tmp_path / "in" / "s.json", SINGLES), tmp_path / "out"
    MAIN([str(out), "--salient", str(file), "--large", "0", "--single", "0", "--without", "b"])
    assert _salient_names(out) == ["s-s2.png", "s-s3.png", "s-s5.png", "s-s6.png"]


def _salient_names(out: Path) -> list[str]:
    return sorted(path.name for path in (out / "salient" / "images").iterdir())


def test_the_rest_is_halved_by_photograph_and_sound(tmp_path: Path) -> None:
    one = _file(tmp_path / "in" / "s.json", SINGLES)
    two = _file(tmp_path / "in" / "t.json", [[ONE], [("b", {}, [SMALL])], [ONE, ONE]])
    out = tmp_path / "out"
    MAIN([str(out), "--salient", str(one), "--boxes", str(one), str(two)])
    parts = [json.loads((out / f"{name}.json").read_text()) for name in ("learn", "measure")]
    names = [[image["file_name"] for image in part["images"]] for part in parts]
    assert names == [
        ["s-s1.png", "s-s5.png", "s-s7.png", "t-t2.png"],
        ["s-s4.png", "s-s6.png", "t-t1.png", "t-t3.png"],
    ]
    there = sorted(path.name for path in (out / "photographs").iterdir())
    assert there == sorted(names[0] + names[1])
    assert [len(part["annotations"]) for part in parts] == [3, 6]
    assert not set(there) & set(_salient_names(out))
    for name, part in zip(("learn", "measure"), parts, strict=True):
        read_coco(out / f"{name}.json")
        assert [c["name"] for c in part["categories"]] == ["a", "b"]


def test_what_is_there_already_or_missing_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _file(tmp_path / "in" / "s.json", SINGLES)
    with pytest.raises(SystemExit):
        MAIN([str(tmp_path / "in"), "--salient", str(file)])
    assert "holds files already. Name an empty folder." in capsys.readouterr().err
    (tmp_path / "in" / "s3.png").unlink()
    with pytest.raises(ValueError, match=r"s\.json: there is no s3\.png in "):
        MAIN([str(tmp_path / "out"), "--salient", str(file)])


@pytest.mark.photos
@pytest.mark.coco_tiny
def test_photos_give_a_salient_set_and_two_thousand_boxes(tmp_path: Path) -> None:
    photos, tiny, out = Path(os.environ["PHOTOS"]), Path(os.environ["COCO_TINY"]), tmp_path / "out"
    salient = [photos / "train" / f"{name}.json" for name in ("horses", "davis16")]
    boxes = [*(photos / "measure").glob("*.json"), *(tiny / "annotations").glob("instances_*.json")]
    MAIN([str(out), "--salient", *map(str, salient), "--boxes", *map(str, sorted(boxes))])
    assert len(_salient(out)) > 300
    counts = [
        len(json.loads((out / f"{name}.json").read_text())["annotations"])
        for name in ("learn", "measure")
    ]
    assert sum(counts) > 2000
    assert min(counts) > 900
