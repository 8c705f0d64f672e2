"""prepare: tables from files of labels, whichever kinds they hold, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stages.photographs.reading import digest_of
from stages.prepare import main
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES, shard_of
from stages.tables.table import read_table
from stages.tables.weak_labels import WEAK_LABELS

SQUARE = [[2, 2, 10, 2, 10, 8, 2, 8]]
MASK = {"segmentation": SQUARE}


def annotation(number: int, image: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": number, "image_id": image, "category_id": 3, **MASK, **more}


def bare(number: int, image: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": number, "image_id": image, "category_id": 3, **more}


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


def prepare(folder: Path, file: Path, out: Path, *more: str, **settings: Any) -> None:
    names = ("images", "weak-labels", "categories")
    outs = [word for name in names for word in (f"--out-{name}", str(out / f"{name}.parquet"))]
    files = ["--image-folder", str(folder), "--annotations", str(file)]
    outs += ["--out-skipped", str(out / "skipped.txt")]
    main([*files, *outs, "--shards", "2", "--settings", json.dumps(settings), *more])


def rows_of(out: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_table(out / "weak-labels.parquet", WEAK_LABELS).to_pylist()
    return rows


def test_points_are_drawn_inside_the_masks(tmp_path: Path) -> None:
    labels = dataset(tmp_path, [annotation(9), annotation(4, 2), annotation(6, iscrowd=1)])
    for kind in ("uniform", "quasi_center"):
        prepare(tmp_path, labels, tmp_path / kind, point=kind)
        rows = rows_of(tmp_path / kind)
        assert [(row["image_id"], row["instance_id"]) for row in rows] == [(1, 9), (2, 4)]
        assert all(2 <= row["x"] <= 10 and 2 <= row["y"] <= 8 for row in rows)
        assert all(row["bag_id"] == row["label_id"] == row["instance_id"] for row in rows)


def test_an_image_goes_to_its_shard_by_its_id_alone(tmp_path: Path) -> None:
    labels = dataset(tmp_path, [annotation(1)], images=9)
    prepare(tmp_path, labels, tmp_path / "nine")
    few = dataset(tmp_path, [annotation(1)], images=7)
    prepare(tmp_path, few, tmp_path / "seven")
    tables = [read_table(tmp_path / n / "images.parquet", IMAGES) for n in ("nine", "seven")]
    dealt = [dict(zip(*(t.column(c).to_pylist() for c in ("image_id", "shard")), strict=True))
             for t in tables]  # fmt: skip
    assert dealt[0] == {number: shard_of(number, 2) for number in range(1, 10)}
    assert dealt[1].items() <= dealt[0].items()
    assert set(dealt[0].values()) == {0, 1}


def test_images_have_the_digest_of_their_file(tmp_path: Path) -> None:
    prepare(tmp_path, dataset(tmp_path, [annotation(1)]), tmp_path / "out")
    rows = read_table(tmp_path / "out" / "images.parquet", IMAGES).to_pylist()
    wanted = [digest_of((tmp_path / row["file_name"]).read_bytes()) for row in rows]
    assert [row["digest"] for row in rows] == wanted
    assert len(set(wanted)) == 3
    prepare(tmp_path, tmp_path / "labels.json", tmp_path / "header", verify="header")
    assert read_table(tmp_path / "header" / "images.parquet", IMAGES).to_pylist() == rows
    names = read_table(tmp_path / "out" / "categories.parquet", CATEGORIES).to_pylist()
    assert [row["name"] for row in names] == ["dog", "cat"]


def test_each_point_is_drawn_by_its_annotation_id_alone(tmp_path: Path) -> None:
    prepare(tmp_path, dataset(tmp_path, [annotation(4), annotation(9)]), tmp_path / "both")
    prepare(tmp_path, dataset(tmp_path, [annotation(9)]), tmp_path / "one")
    assert rows_of(tmp_path / "both")[1] == rows_of(tmp_path / "one")[0]


def test_an_own_point_goes_before_a_drawn_one_and_masks_are_not_looked_at(tmp_path: Path) -> None:
    point = {"point": [3.5, 4.5]}
    others = [{}, {"segmentation": None}, {"segmentation": [[0, 0, 9, 0, 9, 9]], "bbox": [1] * 4}]
    for number, more in enumerate(others):
        labels = dataset(tmp_path, [annotation(4, **{**point, **more})])
        prepare(tmp_path, labels, tmp_path / str(number))
    files = [
        {p.name: p.read_bytes() for p in (tmp_path / str(number)).iterdir()} for number in range(3)
    ]
    assert files[0] == files[1] == files[2]
    assert rows_of(tmp_path / "0")[0]["x"] == 3.5


MIXED = [
    annotation(1, bbox=[2, 2, 8, 6], point=[3, 3]),
    bare(2, bbox=[1, 1, 30, 4], point=[3, 3]),
    bare(3, point=[3.5, 4.5]),
    bare(4),
    bare(5, category_id=5),
    bare(6, 2),
]
KINDS = {
    "given": {1: "mask", 2: "box", 3: "point", 4: "tag", 5: "tag", 6: "tag"},
    "tag": {1: "tag", 5: "tag", 6: "tag"},  # one for each class of an image
}


@pytest.mark.parametrize("way", KINDS)
def test_labels_are_of_the_kind_that_is_asked_for(way: str, tmp_path: Path) -> None:
    prepare(tmp_path, dataset(tmp_path, MIXED), tmp_path / "out", labels=way)
    rows = {row["label_id"]: row for row in rows_of(tmp_path / "out")}
    assert {number: row["kind"] for number, row in rows.items()} == KINDS[way]
    for row in rows.values():
        is_tag = row["kind"] == "tag"
        assert (row["instance_id"], row["bag_id"]) == (
            (None, -1) if is_tag else (row["label_id"], row["label_id"])
        )
        holds = {name for name in ("x", "y", "box", "rle") if row[name] is not None}
        assert (
            holds
            == {"point": {"x", "y"}, "box": {"box"}, "mask": {"box", "rle"}, "tag": set()}[
                row["kind"]
            ]
        )


@pytest.mark.parametrize("way", ["point", "box", "box_and_point"])
def test_a_share_of_the_objects_has_its_mask_as_the_label(way: str, tmp_path: Path) -> None:
    labels = dataset(tmp_path, [annotation(number) for number in range(1, 201)])
    prepare(tmp_path, labels, tmp_path / "weak", labels=way)
    prepare(tmp_path, labels, tmp_path / "some", labels=way, mask_share=0.3)
    prepare(tmp_path, labels, tmp_path / "all", labels=way, mask_share=1.0)
    prepare(tmp_path, labels, tmp_path / "given", labels="given")
    weak, some, whole, given = (rows_of(tmp_path / n) for n in ("weak", "some", "all", "given"))
    assert whole == given
    outlined = {row["label_id"] for row in some if row["kind"] == "mask"}
    assert 40 <= len(outlined) <= 80  # 60 ± 3 sd
    assert [row for row in some if row["kind"] == "mask"] == [
        row for row in given if row["label_id"] in outlined
    ]
    assert [row for row in some if row["kind"] != "mask"] == [
        row for row in weak if row["instance_id"] not in outlined
    ]


def test_whose_mask_is_given_depends_on_annotation_and_seed_alone(tmp_path: Path) -> None:
    def outlined(name: str, numbers: range, *more: str) -> set[int]:
        labels = dataset(tmp_path, [annotation(number) for number in numbers])
        prepare(tmp_path, labels, tmp_path / name, *more, labels="point", mask_share=0.5)
        return {r["label_id"] for r in rows_of(tmp_path / name) if r["kind"] == "mask"}

    many, few = outlined("many", range(1, 60)), outlined("few", range(30, 60))
    assert few == {number for number in many if number >= 30}
    assert many != outlined("seed", range(1, 60), "--seed", "1")


def test_objects_without_a_mask_stay_what_they_are_and_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flat = [[2, 2, 3, 2, 3, 2, 2, 2]]  # covers no pixel
    labels = dataset(
        tmp_path, [annotation(1), bare(2, bbox=[1, 1, 5, 4]), bare(3, segmentation=flat)]
    )
    labels.write_text(labels.read_text().replace('"id": 3, "image_id"', '"bbox": [2, 2, 1, 1], '
                                                 '"id": 3, "image_id"'))  # fmt: skip
    prepare(tmp_path, labels, tmp_path / "out", labels="box", mask_share=1.0)
    assert [row["kind"] for row in rows_of(tmp_path / "out")] == ["mask", "box", "box"]
    said = capsys.readouterr().out
    assert "2 objects without a mask that could be given, left as they are" in said


def test_a_given_box_is_cut_at_the_image(tmp_path: Path) -> None:
    prepare(tmp_path, dataset(tmp_path, MIXED), tmp_path / "out", labels="given")
    (row,) = [row for row in rows_of(tmp_path / "out") if row["kind"] == "box"]
    assert row["box"] == [1, 1, 16, 5]


def test_a_box_and_a_point_of_an_object_are_two_labels(tmp_path: Path) -> None:
    own = annotation(7, 2, bbox=[1, 1, 8, 6], point=[3.5, 4.0])
    labels = dataset(tmp_path, [annotation(0), own])
    for kind in ("box_and_point", "box", "point"):
        prepare(tmp_path, labels, tmp_path / kind, labels=kind)
    rows = rows_of(tmp_path / "box_and_point")
    seen = [(row["label_id"], row["kind"], row["instance_id"], row["bag_id"]) for row in rows]
    assert seen == [(-1, "point", 0, 0), (0, "box", 0, 0), (-8, "point", 7, 7), (7, "box", 7, 7)]
    assert rows[1::2] == rows_of(tmp_path / "box")
    alone = [{**row, "label_id": -1 - row["label_id"]} for row in rows_of(tmp_path / "point")]
    assert rows[::2] == alone
    assert (rows[2]["x"], rows[2]["y"]) == (3.5, 4.0)


def test_boxes_are_given_or_those_of_masks(tmp_path: Path) -> None:
    labels = dataset(tmp_path, [annotation(1), bare(2, bbox=[1, 1, 3, 4])])
    prepare(tmp_path, labels, tmp_path / "out", labels="box")
    assert [row["box"] for row in rows_of(tmp_path / "out")] == [[2, 2, 10, 8], [1, 1, 4, 5]]


def test_the_screen_says_what_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = [*MIXED, annotation(9, iscrowd=1)]
    prepare(tmp_path, dataset(tmp_path, file), tmp_path / "out", labels="given")
    assert capsys.readouterr().out == (
        "prepare: 3 images, 6 labels of format coco (prepare.labels: given): 1 points, 1 boxes, 3 "
        "tags, 1 masks.\n"
        "prepare: left out: 1 crowds (iscrowd 1; prepare.crowds says which are kept).\n"
        "prepare: taken in another way than they stand there: 1 boxes cut at the border of their "
        "image.\n"
    )


def test_given_masks_are_no_ground_truth(tmp_path: Path) -> None:
    labels = dataset(tmp_path, MIXED)
    with pytest.raises(ValueError, match=r"1 masks are labels; but dataset\.ground_truth is true"):
        prepare(tmp_path, labels, tmp_path / "out", "--ground-truth", labels="given")
    with pytest.raises(ValueError, match="none of the 5 labels has a mask that could score"):
        prepare(tmp_path, dataset(tmp_path, MIXED[1:]), tmp_path / "out", "--ground-truth",
                labels="given")  # fmt: skip
    prepare(tmp_path, dataset(tmp_path, [annotation(1)]), tmp_path / "out", "--ground-truth")


def test_a_mask_without_pixels_has_a_point_all_the_same(tmp_path: Path) -> None:
    sliver = [[5, 5, 5, 5.1, 5.1, 5]]
    prepare(tmp_path, dataset(tmp_path, [annotation(4, segmentation=sliver)]), tmp_path / "out")
    (row,) = rows_of(tmp_path / "out")
    assert row["x"] == pytest.approx(5, abs=0.2)
    assert row["y"] == pytest.approx(5, abs=0.2)


SLIVER = {"segmentation": [[5, 5, 5, 5.1, 5.1, 5]]}


@pytest.mark.parametrize(
    ("labels", "settings", "said"),
    [
        ([annotation(1, iscrowd=1)], {}, "all annotations are crowds"),
        (
            [bare(1)],
            {},
            "annotation 1 has no mask to draw a point from, and has its class alone. .* given",
        ),
        ([bare(1)], {"labels": "box"}, "annotation 1 has no mask to find a box of"),
        ([annotation(1, point=[18, 3])], {}, r"\(18, 3\) is outside its image"),
        ([annotation(1, segmentation=[[99, 2, 120, 2, 120, 8]])], {}, "far outside the image"),
        ([annotation(1, segmentation=[[17, 2, 20, 2, 20, 8]])], {}, "wholly outside the image"),
        ([annotation(1, segmentation=[[None, 2, 20, 2, 20, 8]])], {}, "number that is not finite"),
        ([annotation(1, segmentation={"size": [12, 16], "counts": [1]})], {}, "RLE of 1 px"),
        (
            [annotation(1, segmentation={"size": [12, 16], "counts": "0"})],
            {},
            r"labels\.json: annotation 1 has no usable mask: RLE of 0 px, image of 12 x 16 px",
        ),
        (
            [annotation(1, segmentation={"size": [12, 16], "counts": "broken RLE"})],
            {},
            r"labels\.json: annotation 1 has no usable mask: the counts of an RLE are no COCO code",
        ),
        ([annotation(1, segmentation=[["a"] * 6])], {}, "no usable mask"),
        ([bare(1, bbox=[20, 2, 3, 3])], {"labels": "given"}, "has no area inside its image 1.png"),
        ([bare(1, bbox=[2, 2, 0, 3])], {"labels": "box"}, "has no area inside its image 1.png"),
        ([bare(1, **SLIVER)], {"labels": "given"}, "annotation 1 has a mask without pixels"),
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


def test_an_undecodable_image_is_refused_or_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = dataset(tmp_path, [annotation(1), annotation(2, 2), annotation(3, 3)])
    (tmp_path / "2.png").write_bytes((tmp_path / "2.png").read_bytes()[:50])
    with pytest.raises(ValueError, match=r"2\.png: cannot be decoded"):
        prepare(tmp_path, labels, tmp_path / "out")
    prepare(tmp_path, labels, tmp_path / "out", undecodable="skip")
    said = capsys.readouterr().err
    assert "2.png" in said
    assert "2 images, 2 labels of format coco (prepare.labels: point): 2 points." in said
    assert "left out: 1 labels in skipped images." in said
    assert "1 images skipped, since they cannot be read, listed in" in said
    assert (tmp_path / "out" / "skipped.txt").read_text().startswith("2.png\timage ")
    assert [row["instance_id"] for row in rows_of(tmp_path / "out")] == [1, 3]


def test_an_image_of_another_size_is_refused(tmp_path: Path) -> None:
    labels = dataset(tmp_path, [annotation(1)])
    Image.new("RGB", (12, 16)).save(tmp_path / "1.png")
    with pytest.raises(ValueError, match="12 x 16 px, but the annotation file says 16 x 12"):
        prepare(tmp_path, labels, tmp_path / "out")


def test_a_path_outside_the_folder_is_refused(tmp_path: Path) -> None:
    labels = dataset(tmp_path, [annotation(1)])
    labels.write_text(labels.read_text().replace("1.png", "../1.png"))
    with pytest.raises(ValueError, match="outside the image folder"):
        prepare(tmp_path, labels, tmp_path / "out")


def test_points_are_spread_over_the_mask(tmp_path: Path) -> None:
    labels = dataset(tmp_path, [annotation(number) for number in range(200)])
    prepare(tmp_path, labels, tmp_path / "out")
    table = read_table(tmp_path / "out" / "weak-labels.parquet", WEAK_LABELS)
    assert len(np.unique(table.column("x").to_numpy())) == 8


def test_clicks_on_the_border_are_moved_into_it_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    points = [[16, 3], [3, 12], [16.8, -0.5], [0, 0], [15.9, 11.9]]
    labels = [bare(number, point=point) for number, point in enumerate(points)]
    prepare(tmp_path, dataset(tmp_path, labels), tmp_path / "out")
    found = [(row["x"], row["y"]) for row in rows_of(tmp_path / "out")]
    assert found[:4] == [(15.5, 3), (3, 11.5), (15.5, 0.5), (0, 0)]
    assert found[4] == pytest.approx((15.9, 11.9))
    assert "3 points on the border, moved to the border pixel" in capsys.readouterr().out


def test_all_faulty_labels_are_told_in_one_run(tmp_path: Path) -> None:
    labels = [bare(number, point=[90, 3]) for number in range(1, 24)]
    labels.append(annotation(40, point=[3, 3], category_id=77))
    with pytest.raises(ValueError, match="23 points outside their image") as caught:
        prepare(tmp_path, dataset(tmp_path, labels), tmp_path / "out")
    text = str(caught.value)
    assert text.count("point (90, 3) is outside its image 1.png") == 20
    assert "... and 3 more points outside their image" in text
    assert "annotation 40 has the unknown category_id 77" in text
    assert "in all: 1 annotations of an unknown category_id, 23 points outside their image" in text


CROWDED = [annotation(1, iscrowd=1, point=[3, 3]), annotation(2, iscrowd=1), annotation(3)]


@pytest.mark.parametrize(
    ("crowds", "kept", "said"),
    [
        ("pointed", [1, 3], "1 annotations with iscrowd 1 taken as one object each"),
        ("none", [3], "left out: 2 crowds (iscrowd 1; prepare.crowds says which are kept)"),
        ("all", [1, 2, 3], "2 annotations with iscrowd 1 taken as one object each"),
    ],
)
def test_crowds_are_kept_by_a_key(
    crowds: str, kept: list[int], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(tmp_path, dataset(tmp_path, CROWDED), tmp_path / "out", crowds=crowds)
    assert [row["label_id"] for row in rows_of(tmp_path / "out")] == kept
    assert said in capsys.readouterr().out


def test_parts_of_polygons_that_cover_nothing_are_left_out_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mask = [*SQUARE, [1, 1, 2, 2], [17, 1, 19, 1, 19, 3]]
    prepare(tmp_path, dataset(tmp_path, [annotation(1, segmentation=mask)]), tmp_path / "out",
            labels="given")  # fmt: skip
    assert rows_of(tmp_path / "out")[0]["box"] == [2, 2, 10, 8]
    assert "2 parts of polygons that cover nothing, left out" in capsys.readouterr().out


def test_a_size_that_the_file_lacks_is_that_of_the_photograph(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = dataset(tmp_path, [annotation(1)])
    data = json.loads(path.read_text())
    data["images"][0] |= {"width": None, "height": "12"}
    data["images"][1] |= {"width": 0}
    path.write_text(json.dumps(data))
    prepare(tmp_path, path, tmp_path / "out")
    images = read_table(tmp_path / "out" / "images.parquet", IMAGES).to_pylist()
    assert [(row["height"], row["width"]) for row in images] == [(12, 16)] * 3
    assert "2 photographs whose size the labels do not say" in capsys.readouterr().out


def turned_set(folder: Path, exif: int, size: tuple[int, int]) -> Path:
    """Labels of photographs of 16 x 12 px as stored, the first with a note how to turn it."""
    path = dataset(folder, [annotation(1)])
    image = Image.new("RGB", (16, 12), (9, 0, 0))
    block = image.getexif()
    block[0x0112] = exif
    image.save(folder / "1.png", exif=block)
    data = json.loads(path.read_text())
    data["images"][0] |= {"height": size[0], "width": size[1]}
    path.write_text(json.dumps(data))
    return path


TURNS = [
    (6, (16, 12), "auto", 6, "1 photographs turned as their EXIF orientation says"),
    (6, (12, 16), "auto", 1, "3 images, 1 labels"),
    (3, (12, 16), "auto", 1, "1 photographs with an EXIF half turn or mirror"),
    (3, (12, 16), "exif", 3, "3 images, 1 labels"),
]


@pytest.mark.parametrize(("exif", "size", "mode", "turn", "said"), TURNS)
def test_the_size_in_the_file_says_which_way_up(
    exif: int,
    size: tuple[int, int],
    mode: str,
    turn: int,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = turned_set(tmp_path, exif, size)
    prepare(tmp_path, path, tmp_path / "out", orientation=mode)
    row = read_table(tmp_path / "out" / "images.parquet", IMAGES).to_pylist()[0]
    assert (row["orientation"], row["height"], row["width"]) == (turn, *size)
    assert said in capsys.readouterr().out


def test_raw_refuses_turned_sizes_with_the_remedy(tmp_path: Path) -> None:
    path = turned_set(tmp_path, 6, (16, 12))
    with pytest.raises(ValueError, match=r"EXIF orientation turns it\. Set prepare\.orientation"):
        prepare(tmp_path, path, tmp_path / "out", orientation="raw")


def test_deep_gray_photographs_have_their_limits_in_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = dataset(tmp_path, [annotation(1)])
    values = np.linspace(100, 4000, 12 * 16).reshape(12, 16).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "1.png")
    for name, more, limits in (("a", {}, (100, 4000)), ("b", {"depth": 12}, (0, 4095))):
        prepare(tmp_path, path, tmp_path / name, **more)
        rows = read_table(tmp_path / name / "images.parquet", IMAGES).to_pylist()
        assert (rows[0]["black"], rows[0]["white"]) == limits
        assert rows[1]["black"] is None
        assert "1 photographs of more than 8 bits" in capsys.readouterr().out


def test_links_that_lead_out_are_followed_by_a_flag(tmp_path: Path) -> None:
    path = dataset(tmp_path, [annotation(1)])
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere.png"
    (tmp_path / "1.png").rename(elsewhere)
    (tmp_path / "1.png").symlink_to(elsewhere)
    with pytest.raises(ValueError, match=r"dataset\.follow_links: true"):
        prepare(tmp_path, path, tmp_path / "out")
    prepare(tmp_path, path, tmp_path / "out", "--follow-links")
    assert len(rows_of(tmp_path / "out")) == 1


def test_photographs_are_found_under_other_spellings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = dataset(tmp_path, [annotation(1)])
    (tmp_path / "sub").mkdir()
    (tmp_path / "1.png").rename(tmp_path / "sub" / "my photo.png")
    path.write_text(path.read_text().replace("1.png", r"sub\\my%20photo.PNG"))
    prepare(tmp_path, path, tmp_path / "out")
    rows = read_table(tmp_path / "out" / "images.parquet", IMAGES).to_pylist()
    assert rows[0]["file_name"] == "sub/my photo.png"
    assert "1 photographs found under another spelling" in capsys.readouterr().out


def test_all_missing_photographs_are_told_in_one_run(tmp_path: Path) -> None:
    path = dataset(tmp_path, [annotation(1)])
    for number in (1, 3):
        (tmp_path / f"{number}.png").unlink()
    with pytest.raises(ValueError, match="2 photographs that cannot be read") as caught:
        prepare(tmp_path, path, tmp_path / "out")
    assert "1.png: this file is missing" in str(caught.value)
    assert "3.png: this file is missing" in str(caught.value)


def test_to_skip_every_image_is_an_error(tmp_path: Path) -> None:
    path = dataset(tmp_path, [annotation(1)])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"not one image could be read \(3 skipped") as caught:
        prepare(tmp_path / "empty", path, tmp_path / "out", undecodable="skip")
    assert "this file is missing" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_ids_from_zero_are_kept(tmp_path: Path) -> None:
    path = dataset(tmp_path, [annotation(0, 0, category_id=0), annotation(1, 0)])
    data = json.loads(path.read_text())
    data["images"][0]["id"] = data["categories"][1]["id"] = 0
    path.write_text(json.dumps(data))
    prepare(tmp_path, path, tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    assert [(row["image_id"], row["label_id"], row["category_id"]) for row in rows] == [
        (0, 0, 0),
        (0, 1, 3),
    ]


def test_corrections_are_laid_over_the_labels_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = dataset(tmp_path, [annotation(9), annotation(4, 2), annotation(5, 2)])
    values = {
        "info": {"format": "maskmill corrections", "version": 1},
        "images": [{"id": k, "file_name": f"{k}.png"} for k in (1, 2)],
        "annotations": [
            {**annotation(9), "instance_id": 9, "status": "corrected", "category_id": 5},
            {**annotation(4, 2), "instance_id": 4, "status": "deleted"},
        ],
    }
    path = tmp_path / "corrections.json"
    path.write_text(json.dumps(values))
    prepare(tmp_path, labels, tmp_path / "out", "--corrections", str(path))
    told = [
        (row["instance_id"], row["kind"], row["status"], row["category_id"])
        for row in rows_of(tmp_path / "out")
    ]
    assert sorted(told) == [
        *((4, "point", "deleted", 3), (5, "point", "given", 3)),
        *((9, "mask", "corrected", 5), (9, "point", "given", 5)),
    ]
    said = capsys.readouterr().err
    assert "labels in skipped images" not in said
    assert "1 labels corrected, 1 labels deleted" in said
