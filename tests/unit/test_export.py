"""export: one annotation per instance, equal bytes for any number of shards, checked masks."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from stages.formats.exported import check_pseudo_labels
from stages.tables.refinements import REFINEMENTS
from stages.tables.table import empty_table, write_table
from tests.refinements import INSTANCES, SIZES, refinement, run_export, write_folder

# of the annotations that export wrote before there were transforms
BEFORE = {
    -1: "b818eee5b67fe8e9e6f463d47f1a632fc8aee5ac69bdd94c554041d22bb1d2db",
    40: "00cf372ff412752afeacb95040f03d4ce03e7f93329ebf786d1894c413dae71c",
}


def rows_of(instances: list[tuple[int, int]], empty: int = -1) -> list[dict[str, Any]]:
    return [
        refinement(image, number, np.zeros(SIZES[image]) if number == empty else None)
        for image, number in instances
    ]


@pytest.mark.parametrize(("empty", "digest"), BEFORE.items(), ids=["all masks", "an empty mask"])
def test_without_transforms_annotations_are_what_they_were_before_there_were_any(
    tmp_path: Path, empty: int, digest: str
) -> None:
    write_folder(tmp_path, rows_of(INSTANCES, empty=empty))
    run_export(tmp_path, transforms=[])
    text = (tmp_path / "labels-1.json").read_text()
    annotations = text[text.index('"annotations"') :]
    assert hashlib.sha256(annotations.encode()).hexdigest() == digest


def test_no_instances_give_a_valid_file_without_annotations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(tmp_path, [])
    data = run_export(tmp_path)
    assert data["annotations"] == []
    assert [image["id"] for image in data["images"]] == [3, 5, 8, 9]
    assert [category["id"] for category in data["categories"]] == [1, 2, 7]
    assert "0 annotations" in capsys.readouterr().err
    assert COCO(str(tmp_path / "labels-1.json")).getAnnIds() == []


def test_annotations_follow_image_and_instance_with_ids_from_1(tmp_path: Path) -> None:
    write_folder(tmp_path, rows_of(INSTANCES))
    data = run_export(tmp_path)
    found = [(a["image_id"], a["provenance"]["instance_id"]) for a in data["annotations"]]
    assert found == INSTANCES
    assert [a["id"] for a in data["annotations"]] == [1, 2, 3, 4, 5, 6]
    assert [a["category_id"] for a in data["annotations"]] == [1, 7, 1, 1, 7, 7]
    for entry in data["annotations"]:
        mask = coco_mask.decode(entry["segmentation"])
        assert mask.shape == SIZES[entry["image_id"]]
        assert entry["area"] == mask.sum()
        rows, columns = np.nonzero(mask)
        x, y = int(columns.min()), int(rows.min())
        assert entry["bbox"] == [x, y, columns.max() + 1 - x, rows.max() + 1 - y]
        assert (entry["mask_weight"], entry["iscrowd"], entry["score"]) == (1.0, 0, 0.5)
        assert entry["quality"] == {
            "prm_score": 0.25,
            "bms_rule": "overlap",
            "mask_source": "proposal",
            "box_fit": 1.0,
        }
        assert entry["provenance"]["prompt"]["point"] == [5.5, 6.25]
        assert len(entry["extra_masks"]) == 3
        assert coco_mask.decode(entry["extra_masks"][0]).shape == mask.shape


def test_one_shard_and_four_give_the_same_bytes(tmp_path: Path) -> None:
    write_folder(tmp_path, rows_of(INSTANCES))
    run_export(tmp_path, 1), run_export(tmp_path, 4)
    assert (tmp_path / "labels-1.json").read_bytes() == (tmp_path / "labels-4.json").read_bytes()


def test_an_empty_mask_keeps_its_refined_box_and_gets_no_weight(tmp_path: Path) -> None:
    write_folder(tmp_path, rows_of(INSTANCES, empty=40))
    entry = run_export(tmp_path)["annotations"][3]
    assert entry["provenance"]["instance_id"] == 40
    assert entry["mask_weight"] == 0
    assert entry["bbox"] == [1.0, 2.0, 6.25, 7.5]
    assert entry["area"] == pytest.approx(46.88)
    assert not coco_mask.decode(entry["segmentation"]).any()


def test_instances_without_proposals_are_counted_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(tmp_path, rows_of(INSTANCES[:3]))
    assert len(run_export(tmp_path)["annotations"]) == 3
    assert "3 annotations" in (text := capsys.readouterr().err)
    assert "3 instances without proposals" in text


def test_the_number_of_extra_masks_is_a_setting(tmp_path: Path) -> None:
    write_folder(tmp_path, rows_of(INSTANCES))
    assert all(
        len(a["extra_masks"]) == 1 for a in run_export(tmp_path, extra_masks=1)["annotations"]
    )


def test_a_refined_instance_without_weak_label_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, rows_of([*INSTANCES, (9, 99)]))
    with pytest.raises(ValueError, match="image 9: instance 99"):
        run_export(tmp_path)
    assert not list(tmp_path.glob("*labels-1*"))  # nothing half done stays


def test_shards_of_different_settings_are_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, rows_of(INSTANCES))
    write_table(tmp_path / "shard-3-of-4.parquet", empty_table(REFINEMENTS), REFINEMENTS, {})
    with pytest.raises(ValueError, match="other settings"):
        run_export(tmp_path, 4)


def test_the_same_image_in_two_shards_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, rows_of(INSTANCES))
    whole = (tmp_path / "shard-0-of-1.parquet").read_bytes()
    (tmp_path / "shard-1-of-1.parquet").write_bytes(whole)
    with pytest.raises(ValueError, match="image 3 is in two shards"):
        run_export(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"id": 2, "image_id"', '"id": 7, "image_id"', "id 7 instead of 2"),
        ('"bbox": [', '"bbox": [1', "bbox"),
        ('"area": ', '"area": 9', "area"),
        ('"image_id": 5', '"image_id": 6', "image 6 is not in the file"),
        ('"segmentation": {"size": [20, 30]', '"segmentation": {"size": [30, 20]', "px, its image"),
        ('"mask_weight": 1.0', '"mask_weight": 0.0', "area .* for a box of"),
        ('"mask_weight": 1.0', '"mask_weight": 1.5', "outside 0 to 1"),
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
