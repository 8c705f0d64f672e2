"""translate: labels of any format become a COCO file whose objects have their weak labels' ids."""

import json
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from stages.formats.assembly import image_id_of
from stages.formats.coco_truth import NUMBER
from stages.prepare import main as prepare
from stages.scoring.truth import Truth
from stages.tables.categories import CATEGORIES
from stages.tables.table import read_table
from stages.tables.weak_labels import WEAK_LABELS
from stages.translate import main
from tests.sound_rows import write_rows

WIDTH, HEIGHT = 16, 12
Key = tuple[int, int]  # id of an image, number of a label in it


def photographs(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    for name in names:
        Image.fromarray(noise).save(folder / name)
    return folder


def write(path: Path, text: str | dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return path


def translated(source: Path, images: Path, *more: str) -> dict[str, Any]:
    out = source.parent / "truth.json"
    main(["--image-folder", str(images), "--annotations", str(source), "--out", str(out), *more])
    data: dict[str, Any] = json.loads(out.read_text())
    return data


def prepared(source: Path, images: Path, *more: str, **settings: Any) -> dict[Key, dict[str, Any]]:
    """The weak labels of the same file, by image and label_id."""
    out = source.parent / "prepared"
    names = ("images", "weak-labels", "categories")
    outs = [word for name in names for word in (f"--out-{name}", str(out / f"{name}.parquet"))]
    files = ["--image-folder", str(images), "--annotations", str(source), "--shards", "1"]
    asked = json.dumps({"labels": "given", **settings})
    prepare([*files, *outs, "--settings", asked, *more])
    rows = read_table(out / "weak-labels.parquet", WEAK_LABELS).to_pylist()
    classes = read_table(out / "categories.parquet", CATEGORIES).to_pylist()
    names_by_id = {entry["category_id"]: entry["name"] for entry in classes}
    return {
        (row["image_id"], row["label_id"]): {**row, "name": names_by_id[row["category_id"]]}
        for row in rows
    }


def shape(kind: str, points: Any, label: str = "cat") -> dict[str, Any]:
    return {"label": label, "points": points, "shape_type": kind}


def labelme(folder: Path) -> tuple[Path, Path]:
    images = photographs(folder / "images", "a.png", "b.png")
    shapes = {
        "a": [
            shape("point", [[3, 3]]),
            shape("rectangle", [[1, 1], [5, 4]]),
            shape("polygon", [[2, 2], [9, 2], [9, 8], [2, 8]], "dog"),
        ],
        "b": [shape("polygon", [[0, 0], [4, 0], [4, 4], [0, 4]])],
    }
    for name, found in shapes.items():
        size = {"imageHeight": HEIGHT, "imageWidth": WIDTH}
        data = {"imagePath": f"{name}.png", "shapes": found, "flags": {"day": True}, **size}
        write(folder / "labels" / f"{name}.json", data)
    return folder / "labels", images


def yolo(folder: Path) -> tuple[Path, Path]:
    images = photographs(folder / "images", "a.png", "b.png")
    write(folder / "labels" / "a.txt", "1 0.5 0.5 0.25 0.5\n0 0 0 0.5 0 0.5 0.5 0 0.5\n")
    write(folder / "labels" / "b.txt", "")
    return write(folder / "data.yaml", "names: [cat, dog]\n"), images


OBJECT = "<object><name>{}</name><{}</object>"
BOX = "bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>"
POINT = "point><x>3</x><y>3</y></point>"


def voc(folder: Path) -> tuple[Path, Path]:
    images = photographs(folder / "JPEGImages", "a.png", "b.png")
    inside = [BOX.format(2, 2, 5, 4), BOX.format(7, 2, 9, 9)]
    numbers = np.zeros((HEIGHT, WIDTH), np.uint8)
    numbers[1:4, 1:5], numbers[1:9, 6:9], numbers[10, 10] = 1, 2, 255
    for name, objects in (("a", inside), ("b", [POINT, BOX.format(1, 1, 1, 1)])):
        found = "".join(OBJECT.format("cat", each) for each in objects)
        text = f"<annotation><filename>{name}.png</filename>{found}</annotation>"
        write(folder / "VOC" / "Annotations" / f"{name}.xml", text)
    (folder / "VOC" / "SegmentationObject").mkdir()
    Image.fromarray(numbers).save(folder / "VOC" / "SegmentationObject" / "a.png")
    return folder / "VOC", images


DATASETS: dict[str, tuple[Callable[[Path], tuple[Path, Path]], dict[str, list[Any]]]] = {
    # by image: number of the label, box in xywh, whether there is a mask
    "labelme": (
        labelme,
        {
            "a.png": [(2, [1, 1, 4, 3], False), (3, [2, 2, 7, 6], True)],
            "b.png": [(1, [0, 0, 4, 4], True)],
        },
    ),
    "yolo": (yolo, {"a.png": [(1, [6, 3, 4, 6], False), (2, [0, 0, 8, 6], True)], "b.png": []}),
    "voc": (
        voc,
        {
            "a.png": [(1, [1, 1, 4, 3], True), (2, [6, 1, 3, 8], True)],
            "b.png": [(2, [0, 0, 1, 1], False)],
        },
    ),
}


@pytest.mark.parametrize(("draw", "wanted"), DATASETS.values(), ids=DATASETS.keys())
def test_labels_of_other_formats_become_coco_that_pycocotools_opens(
    draw: Any, wanted: dict[str, list[Any]], tmp_path: Path
) -> None:
    source, images = draw(tmp_path)
    data = translated(source, images)
    with redirect_stdout(None):
        coco = COCO(str(source.parent / "truth.json"))
    found = {image["file_name"]: image for image in coco.dataset["images"]}
    assert {(image["height"], image["width"]) for image in found.values()} == {(HEIGHT, WIDTH)}
    for name, objects in wanted.items():
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=[image_id_of(name)]))
        assert [(a[NUMBER], a["bbox"], "segmentation" in a) for a in annotations] == objects
        for annotation in annotations:
            if "segmentation" in annotation:
                assert coco.annToMask(annotation).sum() == annotation["area"] > 0
    ids = [annotation["id"] for annotation in data["annotations"]]
    assert ids == list(range(1, len(ids) + 1))


@pytest.mark.parametrize("draw", [draw for draw, _ in DATASETS.values()], ids=DATASETS.keys())
def test_the_number_in_its_image_is_the_id_of_the_weak_label(draw: Any, tmp_path: Path) -> None:
    source, images = draw(tmp_path)
    data, rows = translated(source, images), prepared(source, images)
    names = {entry["id"]: entry["name"] for entry in data["categories"]}
    for annotation in data["annotations"]:
        row = rows[annotation["image_id"], annotation[NUMBER]]
        x, y, width, height = annotation["bbox"]
        assert row["name"] == names[annotation["category_id"]]
        assert row["box"] == pytest.approx([x, y, x + width, y + height])
    kinds = {key: row["kind"] for key, row in rows.items()}
    shapes = {(a["image_id"], a[NUMBER]) for a in data["annotations"]}
    assert {key for key, kind in kinds.items() if kind in ("mask", "box")} == shapes


def test_skipped_photographs_shift_no_number(tmp_path: Path) -> None:
    source, images = labelme(tmp_path)
    rows = prepared(source, images)
    asked = {"undecodable": "skip"}
    (images / "a.png").write_bytes((images / "a.png").read_bytes()[:60])  # its header is whole
    kept = prepared(source, images, **asked)
    assert {key for key in rows if key[0] == image_id_of("b.png")} == set(kept)
    (images / "a.png").write_bytes(b"none")
    data = translated(source, images, "--settings", json.dumps(asked))
    assert [image["file_name"] for image in data["images"]] == ["b.png"]
    (annotation,) = data["annotations"]
    assert (annotation["image_id"], annotation[NUMBER]) in kept
    with pytest.raises(ValueError, match=r"a\.png: cannot be decoded"):
        translated(source, images)


def coco(folder: Path) -> tuple[Path, Path]:
    images = photographs(folder / "images", "a.png")
    square = [[2, 2, 10, 2, 10, 8, 2, 8]]
    base = {"image_id": 5, "category_id": 3, "segmentation": square}
    more: list[dict[str, Any]] = [{"iscrowd": 1}, {"iscrowd": 1, "point": [3, 3]}, {}]
    data = {
        "images": [{"id": 5, "file_name": "a.png"}],
        "categories": [{"id": 3, "name": "cat"}],
        "annotations": [{**base, "id": 40 + k, **entry} for k, entry in enumerate(more)],
    }
    return write(folder / "labels.json", data), images


@pytest.mark.parametrize("crowds", ["pointed", "none", "all"])
def test_crowds_keep_their_ids_and_are_told_as_such(crowds: str, tmp_path: Path) -> None:
    source, images = coco(tmp_path)
    rows = prepared(source, images, crowds=crowds)
    asked = json.dumps({"crowds": crowds})
    data = translated(source, images, "--settings", asked, "--format", "coco")
    found = {annotation["id"]: annotation["iscrowd"] for annotation in data["annotations"]}
    assert found == {40: 1, 41: 1, 42: 0}
    assert not any(NUMBER in annotation for annotation in data["annotations"])
    assert {number for _, number in rows} <= set(found)


def test_truth_is_found_by_the_id_of_the_weak_label(tmp_path: Path) -> None:
    source, images = labelme(tmp_path)
    translated(source, images)
    truth = Truth(source.parent / "truth.json")
    assert set(truth.objects(image_id_of("a.png"))) == {3}
    assert set(truth.objects(image_id_of("b.png"))) == {1}
    assert truth.without_mask == 1


def test_what_has_no_mask_or_box_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    translated(*labelme(tmp_path))
    said = capsys.readouterr().err
    assert (
        "2 images (0 skipped), 3 annotations of format labelme, 3 labels with neither a mask nor "
        "a box left out." in said
    )


def test_nothing_at_all_is_refused_and_no_file_is_left(tmp_path: Path) -> None:
    images = photographs(tmp_path, "a.png")
    source = write(tmp_path / "labels.csv", "file_name,label,x,y\na.png,cat,3,3\na.png,dog,,\n")
    with pytest.raises(ValueError, match=r"no label has a mask or a box \(2 labels with neither"):
        translated(source, images)
    assert not [path for path in tmp_path.iterdir() if "truth" in path.name]


def test_faults_are_told_in_one_run_and_no_file_is_left(tmp_path: Path) -> None:
    source, images = labelme(tmp_path)
    outside = [[90, 2], [95, 2], [95, 8]]
    write(
        source / "b.json",
        {"imagePath": "b.png", "shapes": [shape("polygon", outside), shape("rectangle", [[1, 1]])]},
    )
    with pytest.raises(ValueError, match=r"b\.json: shape 2: rectangle: it has 1 points"):
        translated(source, images)
    write(source / "b.json", {"imagePath": "b.png", "shapes": [shape("polygon", outside)] * 2})
    with pytest.raises(ValueError, match="2 faulty masks and boxes") as caught:
        translated(source, images)
    assert "b.json: shape 1: a polygon has the corner (90, 2), far outside" in str(caught.value)
    assert not (source.parent / "truth.json").exists()


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        ({}, {"cat": 1, "dog": 2}),
        ({"dog": 1}, {"dog": 1, "cat": 2}),
        ({"ant": 1, "cat": 7}, {"ant": 1, "cat": 7, "dog": 8}),
        ({"ant": 1, "cat": 2**31 - 1}, {"ant": 1, "dog": 2, "cat": 2**31 - 1}),
    ],
    ids=["none", "one", "one that is not here", "the largest"],
)
def test_classes_are_numbered_as_those_of_the_same_name(
    known: dict[str, int], wanted: dict[str, int], tmp_path: Path
) -> None:
    source, images = yolo(tmp_path)
    rows = [
        {"category_id": number, "name": name, "supercategory": ""} for name, number in known.items()
    ]
    table = write_rows(tmp_path / "categories.parquet", CATEGORIES, rows)
    data = translated(source, images, "--categories", str(table))
    assert {entry["name"]: entry["id"] for entry in data["categories"]} == wanted
    found = [annotation["category_id"] for annotation in data["annotations"]]
    assert found == [wanted["dog"], wanted["cat"]]
