"""prepare: tables from COCO files, points from masks, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stages.prepare import main
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.table import read_table
from stages.tables.weak_labels import WEAK_LABELS

SQUARE = [[2, 2, 10, 2, 10, 8, 2, 8]]


def annotation(number: int, image: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": number, "image_id": image, "category_id": 3, "segmentation": SQUARE, **more}


def dataset(folder: Path, annotations: list[dict[str, Any]], images: int = 3) -> Path:
    entries = []
    for number in range(1, images + 1):
        Image.new("RGB", (16, 12), (number, 0, 0)).save(folder / f"{number}.png")
        entries.append({"id": number, "file_name": f"{number}.png", "height": 12, "width": 16})
    categories = [{"id": 3, "name": "dog", "supercategory": "animal"}, {"id": 5, "name": "cat"}]
    data = {"images": entries, "annotations": annotations, "categories": categories}
    path = folder / "labels.json"
    path.write_text(json.dumps(data))
    return path


def prepare(folder: Path, labels: Path, out: Path, *more: str, **settings: Any) -> None:
    names = ("images", "weak-labels", "categories")
    outs = [word for name in names for word in (f"--out-{name}", str(out / f"{name}.parquet"))]
    files = ["--image-folder", str(folder), "--annotations", str(labels)]
    main([*files, *outs, "--shards", "2", "--settings", json.dumps(settings), *more])


def test_prepare_writes_points_inside_the_masks(tmp_path: Path) -> None:
    labels = dataset(tmp_path, [annotation(9), annotation(4, 2), annotation(6, iscrowd=1)])
    for kind in ("uniform", "quasi_center"):
        prepare(tmp_path, labels, tmp_path / kind, point=kind)
        rows = read_table(tmp_path / kind / "weak-labels.parquet", WEAK_LABELS).to_pylist()
        assert [(row["image_id"], row["instance_id"]) for row in rows] == [(1, 9), (2, 4)]
        assert all(2 <= row["x"] <= 10 and 2 <= row["y"] <= 8 for row in rows)


def test_prepare_deals_images_to_shards_by_rank(tmp_path: Path) -> None:
    labels = dataset(tmp_path, [annotation(1)])
    prepare(tmp_path, labels, tmp_path / "out")
    shards = read_table(tmp_path / "out" / "images.parquet", IMAGES).column("shard").to_pylist()
    assert shards == [0, 1, 0]
    names = read_table(tmp_path / "out" / "categories.parquet", CATEGORIES).to_pylist()
    assert [row["name"] for row in names] == ["dog", "cat"]


def test_prepare_draws_each_point_by_its_annotation_id_alone(tmp_path: Path) -> None:
    first = dataset(tmp_path, [annotation(4), annotation(9)])
    prepare(tmp_path, first, tmp_path / "both")
    second = dataset(tmp_path, [annotation(9)])
    prepare(tmp_path, second, tmp_path / "one")
    both = read_table(tmp_path / "both" / "weak-labels.parquet", WEAK_LABELS).to_pylist()
    one = read_table(tmp_path / "one" / "weak-labels.parquet", WEAK_LABELS).to_pylist()
    assert both[1] == one[0]


def test_prepare_with_given_points_never_looks_at_masks(tmp_path: Path) -> None:
    point = {"point": [3.5, 4.5]}
    for name, more in (("with", {}), ("without", {"segmentation": None}), ("bad", {"bbox": "x"})):
        labels = dataset(tmp_path, [annotation(4, **{**point, **more})])
        prepare(tmp_path, labels, tmp_path / name, point="uniform")
    files = [
        {p.name: p.read_bytes() for p in (tmp_path / name).iterdir()}
        for name in ("with", "without", "bad")
    ]
    assert files[0] == files[1] == files[2]


def test_prepare_finds_a_point_for_a_mask_without_pixels(tmp_path: Path) -> None:
    sliver = [[5, 5, 5, 5.1, 5.1, 5]]
    prepare(tmp_path, dataset(tmp_path, [annotation(4, segmentation=sliver)]), tmp_path / "out")
    row = read_table(tmp_path / "out" / "weak-labels.parquet", WEAK_LABELS).to_pylist()[0]
    assert row["x"] == pytest.approx(5, abs=0.2)
    assert row["y"] == pytest.approx(5, abs=0.2)


@pytest.mark.parametrize(
    ("labels", "settings", "said"),
    [
        ([annotation(1, iscrowd=1)], {}, "all annotations are crowds"),
        ([annotation(1, point=None)], {}, "has point None"),
        ([annotation(1, point=[16, 3])], {}, r"\(16, 3\) is outside its image"),
        ([annotation(1, segmentation=[])], {}, "no usable mask"),
        ([annotation(1, segmentation=[["a"] * 6])], {}, "no usable mask"),
        ([annotation(1)], {"points": "given"}, "unknown key prepare.points"),
        ([annotation(1)], {"sigma": -1}, "prepare.sigma"),
    ],
)
def test_prepare_refuses(
    tmp_path: Path, labels: list[dict[str, Any]], settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        prepare(tmp_path, dataset(tmp_path, labels), tmp_path / "out", **settings)
    assert not (tmp_path / "out").exists()


def test_prepare_refuses_or_skips_an_undecodable_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = dataset(tmp_path, [annotation(1), annotation(2, 2), annotation(3, 3)])
    (tmp_path / "2.png").write_bytes((tmp_path / "2.png").read_bytes()[:50])
    with pytest.raises(ValueError, match=r"2\.png: cannot be decoded"):
        prepare(tmp_path, labels, tmp_path / "out")
    prepare(tmp_path, labels, tmp_path / "out", undecodable="skip")
    said = capsys.readouterr().err
    assert "2.png" in said
    assert "2 images (1 skipped), 2 instances (1 in skipped images" in said
    rows = read_table(tmp_path / "out" / "weak-labels.parquet", WEAK_LABELS).to_pylist()
    assert [row["instance_id"] for row in rows] == [1, 3]


def test_prepare_refuses_an_image_of_another_size(tmp_path: Path) -> None:
    labels = dataset(tmp_path, [annotation(1)])
    Image.new("RGB", (12, 16)).save(tmp_path / "1.png")
    with pytest.raises(ValueError, match="12 x 16 px, but the annotation file says 16 x 12"):
        prepare(tmp_path, labels, tmp_path / "out")


def test_prepare_refuses_a_path_outside_the_folder(tmp_path: Path) -> None:
    labels = dataset(tmp_path, [annotation(1)])
    labels.write_text(labels.read_text().replace("1.png", "../1.png"))
    with pytest.raises(ValueError, match="outside the image folder"):
        prepare(tmp_path, labels, tmp_path / "out")


def test_points_are_spread_over_the_mask(tmp_path: Path) -> None:
    labels = dataset(tmp_path, [annotation(number) for number in range(200)])
    prepare(tmp_path, labels, tmp_path / "out")
    table = read_table(tmp_path / "out" / "weak-labels.parquet", WEAK_LABELS)
    xs = table.column("x").to_numpy()
    assert len(np.unique(xs)) == 8
