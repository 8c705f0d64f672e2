"""export: one annotation per object with its own id, equal bytes for any number of shards."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from stages.formats.exported import check_pseudo_labels
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import rows_table
from tests.pseudo_label_tables import (
    INSTANCES,
    SIZES,
    boxed,
    points,
    pseudo_label_of_disc,
    run_export,
    write_folder,
)
from tests.sound_rows import Row, grade_row, label_row, tag_row, write_unchecked


def rows_of(instances: list[tuple[int, int]], empty: int = -1) -> list[Row]:
    return [
        pseudo_label_of_disc(image, number, np.zeros(SIZES[image]) if number == empty else None)
        for image, number in instances
    ]


def ids_of(data: dict[str, Any]) -> list[tuple[int, int]]:
    return [(a["id"], a["provenance"]["instance_id"]) for a in data["annotations"]]


def test_no_objects_give_a_valid_file_without_annotations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(tmp_path, [])
    data = run_export(tmp_path)
    assert data["annotations"] == []
    assert [image["id"] for image in data["images"]] == [3, 5, 8, 9]
    assert [category["id"] for category in data["categories"]] == [1, 2, 7]
    assert "0 annotations" in capsys.readouterr().err
    assert COCO(str(tmp_path / "labels-1.json")).getAnnIds() == []


def test_annotations_follow_image_and_instance_and_keep_their_ids(tmp_path: Path) -> None:
    rows = rows_of(INSTANCES)
    write_folder(tmp_path, rows)
    data = run_export(tmp_path)
    assert ids_of(data) == [(number, number) for _, number in INSTANCES]
    assert [a["category_id"] for a in data["annotations"]] == [1, 7, 1, 1, 7, 7]
    for row, entry in zip(rows, data["annotations"], strict=True):
        assert entry["segmentation"]["counts"].encode() == row["rle"]
        mask = coco_mask.decode(entry["segmentation"])
        assert mask.shape == SIZES[entry["image_id"]]
        assert entry["area"] == mask.sum()
        lines, columns = np.nonzero(mask)
        x, y = int(columns.min()), int(lines.min())
        assert entry["bbox"] == [x, y, columns.max() + 1 - x, lines.max() + 1 - y]
        assert (entry["mask_weight"], entry["iscrowd"], entry["score"]) == (1.0, 0, 0.5)
        assert "untrusted" not in entry
        assert [coco_mask.decode(extra).shape for extra in entry["extra_masks"]] == [mask.shape] * 3
        assert "ignore_mask" not in entry


def test_quality_and_provenance_tell_where_a_mask_came_from(tmp_path: Path) -> None:
    verdict = {"score": 0.25, "mask_quality": 0.125, "reasons": ["spread"]}
    write_folder(tmp_path, rows_of(INSTANCES[:1]), grades=[grade_row(*INSTANCES[0], **verdict)])
    (entry,) = run_export(tmp_path)["annotations"]
    assert entry["score"] == 0.25
    assert entry["quality"] == {
        **{"mask_quality": 0.125, "mask_source": "proposal", "box_fit": 1.0},
        **{"reasons": ["spread"], "method_score": 0.5},
    }
    assert entry["provenance"] == {
        "instance_id": 11,
        "label_ids": [11],
        "proposal_id": 2,
        "box_given": False,
        "prompt": {"kind": "point", "point": [5.5, 6.25], "box": None},
    }


def test_a_given_mask_names_the_label_that_it_is(tmp_path: Path) -> None:
    row = pseudo_label_of_disc(3, 11, label_ids=[11, 90], mask_source="given", proposal_id=None)
    mask = {"kind": "mask", "instance_id": 11, "bag_id": 11, "x": None, "y": None}
    drawn = label_row(3, 90, **mask, box=[0, 0, 4, 4], rle=row["rle"])
    write_folder(tmp_path, [row], [points()[0], drawn])
    (entry,) = run_export(tmp_path)["annotations"]
    assert entry["provenance"]["label_ids"] == [11, 90]
    assert entry["provenance"]["prompt"] == {"kind": "mask", "point": None, "box": None}


def test_pixels_to_be_ignored_go_along(tmp_path: Path) -> None:
    row = pseudo_label_of_disc(5, 4)
    write_folder(tmp_path, [{**row, "ignore_rle": row["extra_rles"][0]}])
    (entry,) = run_export(tmp_path)["annotations"]
    assert entry["ignore_mask"] == entry["extra_masks"][0]


def test_what_was_born_of_a_tag_is_numbered_above_the_largest_own_id(tmp_path: Path) -> None:
    born = [(3, -2), (3, -1), (3, 11), (8, -1)]
    labels = [tag_row(3, 99), points()[0], tag_row(8, 99)]
    rows = [
        pseudo_label_of_disc(image, number, label_ids=[number if number > 0 else 99])
        for image, number in born
    ]
    write_folder(tmp_path, rows, sorted(labels, key=lambda row: (row["image_id"], row["label_id"])))
    assert ids_of(run_export(tmp_path)) == [(12, -2), (13, -1), (11, 11), (14, -1)]


def test_an_id_of_two_images_stays_with_the_first_and_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(
        tmp_path,
        [pseudo_label_of_disc(image, number) for image, number in ((3, 11), (5, 11), (8, 40))],
        [label_row(3, 11), label_row(5, 11), label_row(8, 40)],
    )
    assert ids_of(run_export(tmp_path)) == [(11, 11), (41, 11), (40, 40)]
    assert "1 ids are of objects in several images (first: 11)" in capsys.readouterr().err


def test_deleted_labels_are_counted_and_have_no_annotation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = [*points()[:2], *({**row, "status": "deleted"} for row in points()[2:3])]
    write_folder(tmp_path, rows_of(INSTANCES[:2]), labels)
    assert ids_of(run_export(tmp_path)) == [(11, 11), (12, 12)]
    assert "1 weak labels deleted" in capsys.readouterr().err


def test_one_shard_and_four_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    write_folder(tmp_path, rows_of(INSTANCES))
    run_export(tmp_path, 1)
    for turn in (1, -1):
        run_export(tmp_path, 4, sorted(tmp_path.glob("shard-*-of-0004.parquet"))[::turn])
        one, four = ((tmp_path / f"labels-{count}.json").read_bytes() for count in (1, 4))
        assert one == four


def test_an_empty_mask_keeps_its_box_and_gets_no_weight(tmp_path: Path) -> None:
    write_folder(tmp_path, rows_of(INSTANCES, empty=40))
    entry = run_export(tmp_path)["annotations"][3]
    assert entry["provenance"]["instance_id"] == 40
    assert (entry["mask_weight"], entry["untrusted"]) == (0, "the mask has no pixels")
    assert entry["bbox"] == [1.0, 2.0, 6.25, 7.5]
    assert entry["area"] == pytest.approx(46.88)
    assert not coco_mask.decode(entry["segmentation"]).any()


def test_a_mask_that_refine_does_not_trust_leaves_the_box(tmp_path: Path) -> None:
    row = pseudo_label_of_disc(3, 11, mask_weight=0.0, box=[1.0, 2.0, 25.0, 19.0])
    write_folder(tmp_path, [row])
    (entry,) = run_export(tmp_path)["annotations"]
    assert (entry["bbox"], entry["area"], entry["mask_weight"]) == ([1, 2, 24, 17], 408, 0)
    assert entry["untrusted"] == "refine does not trust the mask"


def test_a_given_box_is_the_box_to_train_and_the_mask_keeps_its_area(tmp_path: Path) -> None:
    row = pseudo_label_of_disc(3, 11)
    box = [1.5, 2.0, 40.0, 19.0]  # the image is 30 px wide
    write_folder(tmp_path, boxed([row], {11: box}))
    (entry,) = run_export(tmp_path)["annotations"]
    assert entry["bbox"] == [1.5, 2.0, 28.5, 17.0]
    assert entry["area"] == coco_mask.decode(entry["segmentation"]).sum()
    assert entry["mask_weight"] == 1


def test_the_number_of_extra_masks_is_a_setting(tmp_path: Path) -> None:
    write_folder(tmp_path, rows_of(INSTANCES))
    assert all(
        len(a["extra_masks"]) == 1 for a in run_export(tmp_path, extra_masks=1)["annotations"]
    )


def odd_shard(folder: Path, change: Callable[[list[Row]], list[Row]]) -> None:
    """Shard 0 of 4, which holds image 8, with other rows that nobody checked."""
    rows = change(rows_of(INSTANCES[3:]))
    table = rows_table(PSEUDO_LABELS, rows)
    path = folder / "shard-0000-of-0004.parquet"
    write_unchecked(path, PSEUDO_LABELS, table, shard="0000-of-0004")


ODD = {
    "reverse order": (lambda rows: rows[::-1], "instance_id 41 is not in its place"),
    "a box of no number": (
        lambda rows: [{**rows[0], "box": [float("nan"), 1.0, 2.0, 3.0]}, *rows[1:]],
        "box .nan, .* has no area",
    ),
    "a doubled object": (lambda rows: [rows[0], *rows], "instance_id 40 is there twice"),
    "an object is missing": (lambda rows: rows[:2], r"1 instances are missing .*\(8, 45\)"),
    "an object is unknown": (
        lambda rows: [*rows, {**rows[0], "instance_id": 46}],
        r"1 instances are unknown .*\(8, 46\)",
    ),
    "another image's rows": (
        lambda rows: [*rows_of(INSTANCES[2:3]), *rows],
        "image 5 is not one of this shard's 1 images",
    ),
    "born of no tag": (lambda rows: [{**rows[0], "instance_id": -1}, *rows], "image 8 .* no tag"),
    "a strange label": (
        lambda rows: [{**rows[0], "label_ids": [77]}, *rows[1:]],
        "instance 40 rests on label 77, which its image has not",
    ),
    "no label": (lambda rows: [{**rows[0], "label_ids": []}, *rows[1:]], "40 rests on no label"),
    "a strange class": (
        lambda rows: [{**rows[0], "category_id": 5}, *rows[1:]],
        "image 8: a pseudo-label has class 5",
    ),
}


@pytest.mark.parametrize(("change", "words"), ODD.values(), ids=ODD.keys())
def test_a_shard_that_does_not_add_up_is_refused_and_nothing_is_written(
    tmp_path: Path, change: Callable[[list[Row]], list[Row]], words: str
) -> None:
    write_folder(tmp_path, rows_of(INSTANCES))
    odd_shard(tmp_path, change)
    with pytest.raises(ValueError, match=words):
        run_export(tmp_path, 4)
    assert not list(tmp_path.glob("*labels-4*"))


GIVEN = {
    "one of four": ([0], "needs each of its 4 shards once"),
    "all but one": ([0, 1, 3], "0000-of-0004, 0001-of-0004, 0003-of-0004 were given"),
    "one twice": ([0, 1, 2, 2], "needs each of its 4 shards once"),
    "one too many": ([0, 1, 2, 3, 3], "Give all shards of one count"),
}


@pytest.mark.parametrize(("numbers", "words"), GIVEN.values(), ids=GIVEN.keys())
def test_shards_that_are_not_all_are_refused(
    tmp_path: Path, numbers: list[int], words: str
) -> None:
    write_folder(tmp_path, rows_of(INSTANCES))
    paths = [tmp_path / f"shard-{number:04d}-of-0004.parquet" for number in numbers]
    with pytest.raises(ValueError, match=words):
        run_export(tmp_path, 4, paths)


def test_shards_of_another_count_than_the_images_are_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, [])
    with pytest.raises(ValueError, match="1 shards were given, but images were dealt into"):
        run_export(tmp_path, 4, [tmp_path / "shard-0000-of-0001.parquet"])


def test_shards_of_different_settings_are_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, [])
    name, header = "shard-0003-of-0004", {"shard": "0003-of-0004", "settings": {"vote": True}}
    write_unchecked(
        tmp_path / f"{name}.parquet", PSEUDO_LABELS, rows_table(PSEUDO_LABELS, []), **header
    )
    with pytest.raises(ValueError, match="made with other settings than"):
        run_export(tmp_path, 4)


def test_the_header_of_the_shards_goes_along_without_their_names(tmp_path: Path) -> None:
    write_folder(tmp_path, [], settings={"vote": True})
    facts = run_export(tmp_path)["info"]["maskmill"]
    assert facts["seed"] == facts["upstream"]["seed"] == 3
    assert facts["upstream"]["settings"] == {"vote": True}
    assert facts["settings"] == {"transforms": [], "extra_masks": 3}
    assert "shard" not in facts["upstream"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('{"id": 12, "image_id"', '{"id": 11, "image_id"', "its id is there twice"),
        ('"bbox": [', '"bbox": [1', "bbox"),
        ('"area": ', '"area": 9', "area"),
        ('"image_id": 5', '"image_id": 6', "image 6 is not in the file"),
        ('"image_id": 5', '"image_id": 2', r"\(2, 4\) comes after \(3, 12\)"),
        ('"segmentation": {"size": [20, 30]', '"segmentation": {"size": [30, 20]', "px, its image"),
        ('"mask_weight": 1.0', '"mask_weight": 0.0', "area .* for a box of"),
        ('"mask_weight": 1.0', '"mask_weight": -1.5', "no number from 0 on"),
    ],
)
def test_a_damaged_annotation_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    write_folder(tmp_path, rows_of(INSTANCES))
    run_export(tmp_path)
    text = (tmp_path / "labels-1.json").read_text()
    assert old in text
    (tmp_path / "bad.json").write_text(text.replace(old, new, 1))
    with pytest.raises(RuntimeError, match=words):
        check_pseudo_labels(tmp_path / "bad.json", annotations=6)


def test_the_file_is_json_of_one_annotation_a_line(tmp_path: Path) -> None:
    write_folder(tmp_path, rows_of(INSTANCES))
    run_export(tmp_path)
    lines = (tmp_path / "labels-1.json").read_text().splitlines()
    found = [json.loads(line.rstrip(",")) for line in lines if '"provenance"' in line]
    assert len(found) == len(INSTANCES)
