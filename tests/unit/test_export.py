"""export: one annotation per instance, equal bytes for any number of shards, checked masks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from stages import export
from stages.files.records import (
    CATEGORIES,
    IMAGES,
    REFINEMENTS,
    WEAK_LABELS,
    empty_table,
    table_of,
    write_table,
)
from stages.geometry.masks import masks_to_rles, rle_boxes
from stages.readers.pseudo_labels import check_pseudo_labels

SIZES = {3: (20, 30), 5: (16, 16), 8: (24, 18), 9: (8, 8)}
INSTANCES = [(3, 11), (3, 12), (5, 4), (8, 40), (8, 41), (8, 45)]


def disc(size: tuple[int, int], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(size)
    y, x = rng.uniform(4, min(size) - 4, 2)
    return ((rows - y) ** 2 + (columns - x) ** 2 < rng.uniform(4, 30)).astype(np.uint8)


def refinement(image_id: int, instance_id: int, empty: bool = False) -> dict[str, Any]:
    size = SIZES[image_id]
    masks = np.stack([disc(size, instance_id + k) for k in range(4)])
    if empty:
        masks[0] = 0
    rles = masks_to_rles(masks)
    box = [1.0, 2.0, 7.25, 9.5] if empty else rle_boxes(rles[:1])[0].tolist()
    return {
        "image_id": image_id,
        "instance_id": instance_id,
        "box_psm": box,
        "box_select": box,
        "box_prm": box,
        "bms_rule": "overlap",
        "mask_source": "proposal",
        "proposal_id": 2,
        "proposal_id_select": 1,
        "rle": rles[0]["counts"],
        "height": size[0],
        "width": size[1],
        "score": 0.25,
        "bag_score": 0.5,
        "extra_rles": [rle["counts"] for rle in rles[1:]],
    }


def write_folder(folder: Path, instances: list[tuple[int, int]], empty: int = -1) -> None:
    images = {
        "image_id": list(SIZES),
        "file_name": [f"{number}.png" for number in SIZES],
        "height": [size[0] for size in SIZES.values()],
        "width": [size[1] for size in SIZES.values()],
        "shard": [0] * 4,
    }
    labels = {
        "image_id": [image for image, _ in INSTANCES],
        "instance_id": [instance for _, instance in INSTANCES],
        "category_id": [1, 7, 1, 1, 7, 7],
        "kind": ["point"] * 6,
        "x": [5.5] * 6,
        "y": [6.25] * 6,
        "box": [None] * 6,
    }
    categories = {"category_id": [1, 2, 7], "name": list("abc"), "supercategory": [""] * 3}
    for name, record, rows in (
        ("images", IMAGES, images),
        ("weak_labels", WEAK_LABELS, labels),
        ("categories", CATEGORIES, categories),
    ):
        write_table(folder / f"{name}.parquet", table_of(record, rows), record, {})
    rows = [refinement(*pair, empty=pair[1] == empty) for pair in instances]
    columns = {name: [row[name] for row in rows] for name in REFINEMENTS.schema.names}
    table = table_of(REFINEMENTS, columns) if rows else empty_table(REFINEMENTS)
    for count in (1, 4):
        for shard in range(count):
            ids = sorted(SIZES)[shard::count]
            part = table.filter(pc.is_in(table.column("image_id"), pc.cast(ids, "int64")))
            path = folder / f"shard-{shard}-of-{count}.parquet"
            write_table(path, part, REFINEMENTS, {"seed": 3})


def run(folder: Path, shards: int = 1, **settings: Any) -> dict[str, Any]:
    out = folder / f"labels-{shards}.json"
    words = ["--out", str(out), "--settings", json.dumps(settings)]
    for name in ("images", "weak-labels", "categories"):
        words += [f"--{name}", str(folder / f"{name.replace('-', '_')}.parquet")]
    words += ["--refinements", *(str(p) for p in sorted(folder.glob(f"shard-*-of-{shards}.*")))]
    export.main(words)
    return json.loads(out.read_text())  # type: ignore[no-any-return]


def test_no_instances_give_a_valid_file_without_annotations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(tmp_path, [])
    data = run(tmp_path)
    assert data["annotations"] == []
    assert [image["id"] for image in data["images"]] == [3, 5, 8, 9]
    assert [category["id"] for category in data["categories"]] == [1, 2, 7]
    assert "0 annotations" in capsys.readouterr().err
    assert COCO(str(tmp_path / "labels-1.json")).getAnnIds() == []


def test_annotations_follow_image_and_instance_with_ids_from_1(tmp_path: Path) -> None:
    write_folder(tmp_path, INSTANCES)
    data = run(tmp_path)
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
    write_folder(tmp_path, INSTANCES)
    run(tmp_path, 1), run(tmp_path, 4)
    assert (tmp_path / "labels-1.json").read_bytes() == (tmp_path / "labels-4.json").read_bytes()


def test_an_empty_mask_keeps_its_refined_box_and_gets_no_weight(tmp_path: Path) -> None:
    write_folder(tmp_path, INSTANCES, empty=40)
    entry = run(tmp_path)["annotations"][3]
    assert entry["provenance"]["instance_id"] == 40
    assert entry["mask_weight"] == 0
    assert entry["bbox"] == [1.0, 2.0, 6.25, 7.5]
    assert entry["area"] == pytest.approx(46.88)
    assert not coco_mask.decode(entry["segmentation"]).any()


def test_instances_without_proposals_are_counted_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(tmp_path, INSTANCES[:3])
    assert len(run(tmp_path)["annotations"]) == 3
    assert "3 annotations" in (text := capsys.readouterr().err)
    assert "3 instances without proposals" in text


def test_the_number_of_extra_masks_is_a_setting(tmp_path: Path) -> None:
    write_folder(tmp_path, INSTANCES)
    assert all(len(a["extra_masks"]) == 1 for a in run(tmp_path, extra_masks=1)["annotations"])


def test_a_refined_instance_without_weak_label_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, [*INSTANCES, (9, 99)])
    with pytest.raises(ValueError, match="image 9: instance 99"):
        run(tmp_path)
    assert not list(tmp_path.glob("*labels-1*"))  # nothing half done stays


def test_shards_of_different_settings_are_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, INSTANCES)
    write_table(tmp_path / "shard-3-of-4.parquet", empty_table(REFINEMENTS), REFINEMENTS, {})
    with pytest.raises(ValueError, match="other settings"):
        run(tmp_path, 4)


def test_the_same_image_in_two_shards_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, INSTANCES)
    whole = (tmp_path / "shard-0-of-1.parquet").read_bytes()
    (tmp_path / "shard-1-of-1.parquet").write_bytes(whole)
    with pytest.raises(ValueError, match="image 3 is in two shards"):
        run(tmp_path)


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
    write_folder(tmp_path, INSTANCES)
    run(tmp_path)
    text = (tmp_path / "labels-1.json").read_text()
    assert old in text
    (tmp_path / "bad.json").write_text(text.replace(old, new, 1))
    with pytest.raises(RuntimeError, match=words):
        check_pseudo_labels(tmp_path / "bad.json", annotations=6)
