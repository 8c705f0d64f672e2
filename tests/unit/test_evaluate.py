"""evaluate: numbers counted by hand from small tables, the same over any number of shards."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stages import evaluate, export
from stages.geometry.masks import Rle, masks_to_rles, rle_areas, rle_boxes
from stages.metrics.coco_ap import detector_ap
from stages.scoring.truth import scoring_truth
from stages.scoring.whole_run import RECORDS
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.table import rows_table, table_of, write_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.sound_rows import (
    Row,
    category_row,
    image_row,
    label_row,
    own_grades,
    proposal_row,
    pseudo_label_row,
    selection_row,
    tag_row,
    trail_row,
    write_rows,
    write_shards,
    write_unchecked,
)
from tests.written_labels import write_lines

SIZE = (20, 40)
SPANS = {(1, 11): (0, 10), (1, 12): (20, 30), (2, 21): (0, 20)}  # columns of each object
# proposals of each bag: the object itself, its left fifth, everything from its start
CHOSEN = {"psm": 1, "prm": 2, "prm_bms": 0}


def mask(start: int, end: int) -> Rle:
    pixels = np.zeros((1, *SIZE), dtype=np.uint8)
    pixels[0, 5:15, start:end] = 1
    return masks_to_rles(pixels)[0]


def bag(span: tuple[int, int]) -> list[Rle]:
    start, end = span
    return [mask(start, end), mask(start, start + (end - start) // 5), mask(start, 40)]


def written(image: int, instance: int) -> Rle:
    """The pseudo-label: half of the object, which is in no bag."""
    start, end = SPANS[image, instance]
    return mask(start, (start + end) // 2)


def proposals(image: int, instance: int) -> list[Row]:
    rles = bag(SPANS[image, instance])
    return [
        proposal_row(
            *(image, instance, number),
            derived=None if number < 2 else 0,
            prompt_kind="point" if number < 2 else "boxes",
            mask_index=number,
            box=rle_boxes([rle])[0].tolist(),
            area=int(rle_areas([rle])[0]),
            predicted_iou=[0.6, 0.9, 0.99][number],
            **shown(rle),
        )
        for number, rle in enumerate(rles)
    ]


def shown(rle: Rle) -> Row:
    return {"rle": rle["counts"], "height": SIZE[0], "width": SIZE[1]}


def selections(image: int, instance: int) -> list[Row]:
    return [
        selection_row(image, instance, k, category_id=7, selected=k == CHOSEN["psm"])
        for k in range(3)
    ]


def pseudo_label(image: int, instance: int) -> Row:
    box = rle_boxes(bag(SPANS[image, instance])[:1])[0].tolist()
    facts = {"proposal_id": CHOSEN["prm_bms"], "category_id": 7, "box": box}
    return pseudo_label_row(image, instance, **facts, **shown(written(image, instance)))


def trail(image: int, instance: int) -> list[Row]:
    boxes = rle_boxes(bag(SPANS[image, instance]))
    notes = {"prm_bms": "overlap"}
    return [
        trail_row(
            *(image, instance, step),
            name=name,
            proposal_id=number,
            box=boxes[number].tolist(),
            note=notes.get(name, ""),
        )
        for step, (name, number) in enumerate(CHOSEN.items())
    ]


def sharded(pairs: Sequence[tuple[int, int]]) -> dict[str, list[Row]]:
    """Rows of every sharded table about these objects, by the name of the flag."""
    return {
        "proposals": [row for pair in pairs for row in proposals(*pair)],
        "selections": [row for pair in pairs for row in selections(*pair)],
        "pseudo-labels": [pseudo_label(*pair) for pair in pairs],
        "trails": [row for pair in pairs for row in trail(*pair)],
    }


def write_tables(
    folder: Path,
    pairs: Sequence[tuple[int, int]] = tuple(SPANS),
    labels: Sequence[Row] | None = None,
    **rows: Sequence[Row],
) -> None:
    """All tables, in one shard and in two; `rows` : of sharded tables, in place of the sound ones.

    labels : rows of table `weak_labels`; by default a point for each of `pairs`.
    """
    points = [label_row(*pair, category_id=7) for pair in pairs]
    write_rows(folder / "weak-labels.parquet", WEAK_LABELS, points if labels is None else labels)
    write_rows(folder / "categories.parquet", CATEGORIES, [category_row(7)])
    tables = {**sharded(pairs), **{name.replace("_", "-"): value for name, value in rows.items()}}
    tables.setdefault("grades", own_grades(tables["pseudo-labels"]))
    for count in (1, 2):
        images = [image_row(i, height=SIZE[0], width=SIZE[1], shard=i % count) for i in (1, 2, 3)]
        write_rows(folder / f"images-{count}.parquet", IMAGES, images)
        for name, made in tables.items():
            write_shards(folder, name, RECORDS[name.replace("-", "_")], made, count)


def truth() -> dict[str, Any]:
    objects = [
        {"id": instance, "image_id": image, "category_id": 7, "iscrowd": 0, **shape(*span)}
        for (image, instance), span in SPANS.items()
    ]
    crowd = {"id": 90, "image_id": 1, "category_id": 7, "iscrowd": 1, **shape(12, 18)}
    return {
        "images": [
            {"id": i, "file_name": f"{i}.png", "height": SIZE[0], "width": SIZE[1]}
            for i in (1, 2, 3)
        ],
        "categories": [{"id": 7, "name": "thing"}],
        "annotations": [*objects, crowd],
    }


def shape(start: int, end: int) -> dict[str, Any]:
    rle = mask(start, end)
    x0, y0, x1, y1 = rle_boxes([rle])[0].tolist()
    counts = {"size": list(SIZE), "counts": rle["counts"].decode()}
    return {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * 10, "segmentation": counts}


def write_json(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data))
    return path


SHARDED = ("proposals", "selections", "pseudo-labels", "trails", "grades")


def run(
    folder: Path, shards: int = 1, tables: Sequence[str] = SHARDED, **paths: Path
) -> dict[str, Any]:
    words = [f"--out={folder / 'metrics.json'}", f"--out-table={folder / 'table.txt'}"]
    words.append(f"--images={folder}/images-{shards}.parquet")
    for name in ("weak-labels", "categories"):
        words.append(f"--{name}={folder / name}.parquet")
    for name in tables:
        found = sorted(folder.glob(f"{name}-*-of-{shards:04d}.parquet"))
        words += [f"--{name}", *map(str, found)]
    words += [f"--{name.replace('_', '-')}={path}" for name, path in paths.items()]
    evaluate.main(words)
    return json.loads((folder / "metrics.json").read_text())  # type: ignore[no-any-return]


def test_without_labels_nothing_is_counted_and_nothing_measured(tmp_path: Path) -> None:
    write_tables(tmp_path, [])
    metrics = run(tmp_path, ground_truth=write_json(tmp_path / "truth.json", truth()))
    assert metrics["counts"] == {**dict.fromkeys(evaluate.COUNTS, 0), "images": 3}
    assert metrics["label_quality"]["choices"] == {}
    assert metrics["label_quality"]["refined_box_iou"]["box_prm"] is None


def test_without_ground_truth_label_quality_is_null_and_the_table_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tables(tmp_path)
    metrics = run(tmp_path)
    assert metrics["label_quality"] is None
    assert metrics["detector"] is None
    assert metrics["bms_rules"] == {"none": 0, "overlap": 3, "contain": 0}
    printed = capsys.readouterr().out
    assert "no ground truth" in printed
    assert printed == (tmp_path / "table.txt").read_text()


def test_each_choice_has_the_numbers_counted_by_hand(tmp_path: Path) -> None:
    """IoU of the parts 1/5; of the long masks 10/40, 10/20 and 20/40; of the objects 1."""
    write_tables(tmp_path)
    metrics = run(tmp_path, ground_truth=write_json(tmp_path / "truth.json", truth()))
    choices = metrics["label_quality"]["choices"]
    long = (0.25 + 0.5 + 0.5) / 3
    part = 0.2
    wanted = {
        "random": (1 + part + long) / 3,
        "largest": long,
        "median_area": 1,
        "fixed_slot_1": 1,
        "fixed_slot_2": part,
        "sam_top1": part,
        "psm": part,
        "prm": long,
        "prm_bms": 1,
        "pseudo_label": 0.5,
        "best_in_bag": 1,
    }
    assert set(choices) == set(wanted)
    for name, value in wanted.items():
        assert choices[name]["mask_iou"] == pytest.approx(value), name
        assert choices[name]["box_iou"] == pytest.approx(value), name
        assert choices[name]["n"] == 3
        assert choices[name]["per_class"]["7"]["mask_iou"] == pytest.approx(value), name
    assert choices["psm"]["local"] == 1
    assert choices["prm"]["group"] == pytest.approx(1 / 3)  # object 11's mask covers object 12
    assert choices["prm"]["mask_iou_50"] == pytest.approx(2 / 3)
    assert choices["prm_bms"]["mask_iou_75"] == 1
    assert choices["pseudo_label"]["mask_iou_50"] == 1
    assert choices["pseudo_label"]["by_difficulty"] == {}
    refined = metrics["label_quality"]["refined_box_iou"]
    assert refined == pytest.approx({"n": 3, "box_psm": part, "box_select": long, "box_prm": 1})


def test_difficulties_of_the_truth_are_reported_apart(tmp_path: Path) -> None:
    write_tables(tmp_path)
    data = truth()
    for entry, name in zip(data["annotations"], ("part", "group", "part"), strict=False):
        entry["difficulty"] = name
    metrics = run(tmp_path, ground_truth=write_json(tmp_path / "truth.json", data))
    groups = metrics["label_quality"]["choices"]["prm"]["by_difficulty"]
    assert {name: entry["n"] for name, entry in groups.items()} == {"part": 2, "group": 1}
    assert groups["part"]["mask_iou"] == pytest.approx((0.25 + 0.5) / 2)
    assert groups["group"]["mask_iou"] == pytest.approx(0.5)


def test_objects_of_each_size_are_reported_apart(tmp_path: Path) -> None:
    """Two objects are an eighth of the image, the third a quarter: each at an edge."""
    write_tables(tmp_path)
    goal = write_json(tmp_path / "truth.json", truth())
    settings: Any = json.dumps({"sizes": [0.125, 0.25]})
    quality = run(tmp_path, ground_truth=goal, settings=settings)["label_quality"]
    assert quality["sizes"] == ["< 12.5 %", "12.5 to 25 %", ">= 25 %"]
    groups = quality["choices"]["prm"]["by_size"]
    assert {name: entry["n"] for name, entry in groups.items()} == {"12.5 to 25 %": 2, ">= 25 %": 1}
    assert groups["12.5 to 25 %"]["mask_iou"] == pytest.approx((0.25 + 0.5) / 2)
    assert groups[">= 25 %"]["mask_iou"] == pytest.approx(0.5)
    printed = (tmp_path / "table.txt").read_text().splitlines()
    head = printed.index("Mask IoU by share of the image's area")
    assert printed[head + 2].split() == ["objects", "0", "2", "1"]
    row = next(line for line in printed[head:] if line.startswith("PRM "))
    assert row.split() == ["PRM", "-", "0.375", "0.500"]


def test_without_tables_a_detector_alone_is_scored(tmp_path: Path) -> None:
    write_tables(tmp_path)
    goal = write_json(tmp_path / "truth.json", truth())
    predictions = write_json(tmp_path / "predictions.json", [])
    paths = {"ground_truth": goal, "val_ground_truth": goal, "predictions": predictions}
    metrics = run(tmp_path, tables=(), **paths)
    assert metrics["label_quality"] is None
    assert metrics["bms_rules"] is None
    assert metrics["pseudo_labels"] is None
    assert metrics["counts"] == {**dict.fromkeys(evaluate.COUNTS, 0), "images": 3, "instances": 3}
    assert metrics["detector"]["bbox"]["AP"] == 0
    assert "no tables of proposals and choices" in (tmp_path / "table.txt").read_text()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("proposals",), "--selections and --pseudo-labels and --trails and --grades missing"),
        (("proposals", "pseudo-labels", "trails", "grades"), "--selections missing"),
        (("selections", "pseudo-labels", "grades"), "--proposals and --trails missing"),
    ],
)
def test_some_of_the_tables_are_refused(tmp_path: Path, given: Sequence[str], words: str) -> None:
    write_tables(tmp_path)
    with pytest.raises(ValueError, match=words):
        run(tmp_path, tables=given)
    assert not (tmp_path / "metrics.json").exists()


def test_one_shard_and_two_give_the_same_bytes(tmp_path: Path) -> None:
    write_tables(tmp_path)
    goal = write_json(tmp_path / "truth.json", truth())
    run(tmp_path, 1, ground_truth=goal)
    once = (tmp_path / "metrics.json").read_bytes()
    run(tmp_path, 2, ground_truth=goal)
    assert (tmp_path / "metrics.json").read_bytes() == once


def test_the_detector_is_scored_and_an_empty_result_has_ap_0(tmp_path: Path) -> None:
    write_tables(tmp_path)
    goal = write_json(tmp_path / "truth.json", truth())
    found = [
        {"image_id": image, "category_id": 7, "score": 0.9, **shape(*span)}
        for (image, _), span in SPANS.items()
    ]
    for results, value in ((found, 1.0), ([], 0.0)):
        predictions = write_json(tmp_path / "predictions.json", results)
        detector = run(tmp_path, val_ground_truth=goal, predictions=predictions)["detector"]
        assert detector["bbox"]["AP"] == pytest.approx(value)
        assert detector["segm"]["AP50"] == pytest.approx(value)
        assert detector["segm"]["APl"] is None
        assert (detector["objects"], detector["detections"]) == (3, len(results))


def test_truth_with_boxes_alone_scores_boxes_alone(tmp_path: Path) -> None:
    write_tables(tmp_path)
    data = truth()
    for entry in data["annotations"]:
        del entry["segmentation"], entry["area"]
    goal = write_json(tmp_path / "truth.json", data)
    predictions = write_json(tmp_path / "predictions.json", [])
    detector = run(tmp_path, val_ground_truth=goal, predictions=predictions)["detector"]
    assert detector["segm"] is None
    assert detector["bbox"]["AP"] == 0


def test_truth_of_other_images_is_refused(tmp_path: Path) -> None:
    write_tables(tmp_path)
    data = truth()
    for entry in data["annotations"]:
        entry["id"] += 1000
    with pytest.raises(ValueError, match="none of the instances"):
        run(tmp_path, ground_truth=write_json(tmp_path / "truth.json", data))


def test_truth_with_another_class_is_refused(tmp_path: Path) -> None:
    write_tables(tmp_path)
    data = truth()
    data["categories"].append({"id": 8, "name": "other"})
    data["annotations"][0]["category_id"] = 8
    with pytest.raises(ValueError, match="instance 11 has class 7, but 8"):
        run(tmp_path, ground_truth=write_json(tmp_path / "truth.json", data))
    assert not (tmp_path / "metrics.json").exists()


def test_the_table_is_aligned_and_in_order(tmp_path: Path) -> None:
    write_tables(tmp_path)
    goal = write_json(tmp_path / "truth.json", truth())
    predictions = write_json(tmp_path / "predictions.json", [])
    run(tmp_path, ground_truth=goal, val_ground_truth=goal, predictions=predictions)
    lines = (tmp_path / "table.txt").read_text().splitlines()
    names = [
        "random",
        "largest",
        "median area",
        "fixed slot 1",
        "fixed slot 2",
        "sam_top1",
        "PSM",
        "PRM",
    ]
    starts = [line.split("  ")[0].split(" (")[0] for line in lines[2:]]
    assert starts[:11] == [*names, "PRM+BMS", "pseudo-label", "best in the bag"]
    assert len({len(line) for line in lines[1:13]}) == 1
    assert any(line.startswith("mask") and line.endswith("-") for line in lines)


def exported(folder: Path, transforms: Sequence[dict[str, Any]] = ()) -> Path:
    """The pseudo-labels of the folder, as the real export writes them."""
    words = [f"--out={folder / 'pseudo_labels.json'}", f"--images={folder}/images-1.parquet"]
    for name in ("weak-labels", "categories"):
        words.append(f"--{name}={folder / name}.parquet")
    for name in ("pseudo-labels", "grades"):
        words.append(f"--{name}={folder / name}-0000-of-0001.parquet")
    export.main([*words, f"--settings={json.dumps({'transforms': list(transforms)})}"])
    return folder / "pseudo_labels.json"


def rewritten(path: Path, **changes: dict[int, Any]) -> Path:
    """The same file with values of keys changed, by instance; None takes the annotation out."""
    whole, kept = json.loads(path.read_text()), []
    for entry in whole["annotations"]:
        instance = entry["provenance"]["instance_id"]
        found = {key: values[instance] for key, values in changes.items() if instance in values}
        if None not in found.values():
            kept.append({**entry, **found})
    info = json.dumps(whole["info"])
    return write_lines(path, kept, whole["images"], whole["categories"], info)


def test_the_exported_file_without_transforms_gives_the_numbers_of_refine(tmp_path: Path) -> None:
    write_tables(tmp_path)
    goal = write_json(tmp_path / "truth.json", truth())
    refined = run(tmp_path, ground_truth=goal)["label_quality"]
    metrics = run(tmp_path, ground_truth=goal, exported=exported(tmp_path))
    assert metrics["label_ap"]["labels"] == 3
    assert metrics["label_ap"]["bbox"]["AP"] is not None
    assert metrics["label_quality"] == refined
    assert metrics["pseudo_labels"] == {"annotations": 3, "without_mask": 0}
    assert metrics["label_quality"]["choices"]["pseudo_label"]["n"] == 3


def test_transformed_labels_are_scored_as_they_were_written(tmp_path: Path) -> None:
    """Only object 11 keeps its label: half of the object, IoU 0.5."""
    write_tables(tmp_path)
    goal = write_json(tmp_path / "truth.json", truth())
    whole = rle_text(mask(0, 10))
    path = rewritten(
        exported(tmp_path), segmentation={11: whole, 12: None}, bbox={11: [0.0, 5.0, 5.0, 10.0]}
    )
    quality = run(tmp_path, ground_truth=goal, exported=path)["label_quality"]
    label = quality["choices"]["pseudo_label"]
    assert label["n"] == 2
    assert label["mask_iou"] == pytest.approx((1 + 0.5) / 2)
    assert label["box_iou"] == pytest.approx((0.5 + 0.5) / 2)  # of the written boxes
    assert quality["choices"]["prm_bms"]["n"] == 3
    assert sum(quality["iou_histogram"]["n"]) == 2
    assert quality["reliability"]["n"] == [0] * 5 + [2] + [0] * 4


def rle_text(rle: Rle) -> dict[str, Any]:
    return {"size": rle["size"], "counts": rle["counts"].decode()}


def test_trusted_labels_are_a_choice_where_some_are_not(tmp_path: Path) -> None:
    """The agreement of a half mask's box with the refined box, the object's, is 0.5."""
    write_tables(tmp_path)
    goal = write_json(tmp_path / "truth.json", truth())
    path = rewritten(
        exported(tmp_path), mask_weight={12: 0.0}, segmentation={12: rle_text(mask(0, 5))}
    )
    metrics = run(tmp_path, ground_truth=goal, exported=path)
    choices = metrics["label_quality"]["choices"]
    assert (choices["pseudo_label"]["n"], choices["trusted"]["n"]) == (3, 2)
    assert choices["pseudo_label"]["mask_iou"] == pytest.approx(1 / 3)
    assert choices["trusted"]["mask_iou"] == pytest.approx(0.5)
    assert metrics["pseudo_labels"]["without_mask"] == 1
    assert "trusted pseudo-label" in (tmp_path / "table.txt").read_text()


def test_labels_that_agree_with_nothing_leave_no_trusted_choice(tmp_path: Path) -> None:
    """Through the real transform: half masks in the refined boxes agree by 0.5 only."""
    write_tables(tmp_path)
    goal = write_json(tmp_path / "truth.json", truth())
    path = exported(tmp_path, [{"name": "agreement", "threshold": 0.9}])
    metrics = run(tmp_path, ground_truth=goal, exported=path)
    choices = metrics["label_quality"]["choices"]
    assert metrics["pseudo_labels"] == {"annotations": 3, "without_mask": 3}
    assert "trusted" not in choices
    assert choices["pseudo_label"]["mask_iou"] == pytest.approx(0.5)  # the masks stay as they are
    assert choices["pseudo_label"]["box_iou"] == pytest.approx(1)  # the refined boxes stand in


def test_one_shard_and_two_of_tables_give_the_same_beside_one_file(tmp_path: Path) -> None:
    write_tables(tmp_path)
    paths = {
        "ground_truth": write_json(tmp_path / "truth.json", truth()),
        "exported": exported(tmp_path),
    }
    assert run(tmp_path, 1, **paths) == run(tmp_path, 2, **paths)


def test_labels_of_another_run_are_refused(tmp_path: Path) -> None:
    write_tables(tmp_path)
    path = rewritten(exported(tmp_path), provenance={21: {"instance_id": 77, "box_given": False}})
    with pytest.raises(ValueError, match="instance 77 of image 2 has no weak label"):
        run(tmp_path, exported=path)


def drawn(image: int, instance: int) -> Row:
    """A weak label that is a mask."""
    rle = mask(*SPANS[image, instance])
    facts = {"kind": "mask", "x": None, "y": None, "rle": rle["counts"], "category_id": 7}
    return label_row(image, instance, box=rle_boxes([rle])[0].tolist(), **facts)


def test_a_given_mask_is_counted_apart_and_not_scored(tmp_path: Path) -> None:
    pairs, own = list(SPANS), (1, 12)
    rows = sharded([pair for pair in pairs if pair != own])
    given = {**pseudo_label(*own), "mask_source": "given", "proposal_id": None}
    told = trail_row(*own, name="given", proposal_id=None)
    labels = [label_row(1, 11, category_id=7), drawn(*own), label_row(2, 21, category_id=7)]
    write_tables(
        tmp_path,
        pairs,
        labels,
        proposals=rows["proposals"],
        selections=rows["selections"],
        pseudo_labels=[rows["pseudo-labels"][0], given, rows["pseudo-labels"][1]],
        trails=[*rows["trails"][:3], told, *rows["trails"][3:]],
    )
    metrics = run(tmp_path, ground_truth=write_json(tmp_path / "truth.json", truth()))
    counts = {"images": 3, "instances": 3, "given": 1, "scored": 2}
    assert metrics["counts"] == {**counts, "without_proposals": 0, "without_truth": 0}
    assert {entry["n"] for entry in metrics["label_quality"]["choices"].values()} == {2}
    assert set(metrics["label_quality"]["choices"]) >= {"psm", "prm", "prm_bms"}
    assert "given" not in metrics["label_quality"]["choices"]
    assert metrics["bms_rules"] == {"none": 0, "overlap": 2, "contain": 0}
    assert "1 masks were given and are not scored" in (tmp_path / "table.txt").read_text()


def test_a_point_and_a_mask_are_one_object_and_a_tag_is_none(tmp_path: Path) -> None:
    labels = [
        *(label_row(*pair, category_id=7) for pair in list(SPANS)[:2]),
        {**drawn(1, 12), "label_id": 50},
        label_row(2, 21, category_id=7),
        label_row(2, 22, category_id=7, status="deleted"),
        tag_row(3, category_id=7),
    ]
    born = pseudo_label_row(3, -1, label_ids=[9], category_id=7, **shown(mask(0, 5)))
    bag_of_tags = {**proposals(2, 21)[0], "image_id": 3, "bag_id": -1}
    rows = sharded(list(SPANS))
    write_tables(
        tmp_path,
        list(SPANS),
        labels,
        proposals=[*rows["proposals"], bag_of_tags],
        selections=[*rows["selections"], selection_row(3, -1, 0, category_id=7)],
        pseudo_labels=[*rows["pseudo-labels"], born],
        trails=[*rows["trails"], trail_row(3, -1, name="oicr")],
    )
    metrics = run(tmp_path, ground_truth=write_json(tmp_path / "truth.json", truth()))
    counts = {"images": 3, "instances": 3, "given": 1, "scored": 2}
    assert metrics["counts"] == {**counts, "without_proposals": 0, "without_truth": 0}


def test_a_method_without_boxes_of_its_own_has_no_mean_of_them(tmp_path: Path) -> None:
    trails = [trail_row(*pair, name="found", proposal_id=0) for pair in SPANS]
    write_tables(tmp_path, trails=trails)
    goal = write_json(tmp_path / "truth.json", truth())
    quality = run(tmp_path, ground_truth=goal)["label_quality"]
    assert quality["refined_box_iou"]["n"] == 0
    assert quality["choices"]["found"]["mask_iou"] == 1
    assert "found" in (tmp_path / "table.txt").read_text()


def without(rows: Sequence[Row], number: int) -> list[Row]:
    return [row for k, row in enumerate(rows) if k != number]


SOUND = sharded(list(SPANS))
APART: dict[str, tuple[str, list[Row], str]] = {
    "a bag is missing": ("proposals", SOUND["proposals"][:6], r"1 bags are missing .*\(2, 21\)"),
    "a proposal was not scored": (
        *("selections", without(SOUND["selections"], 4)),
        r"1 proposals are missing .*\(1, 12, 1\)",
    ),
    "another proposal was scored": (
        *("selections", [*SOUND["selections"], selection_row(2, 21, 3)]),
        r"1 proposals are unknown .*\(2, 21, 3\)",
    ),
    "an object has no pseudo-label": (
        *("pseudo_labels", without(SOUND["pseudo-labels"], 0)),
        r"1 instances are missing .*\(1, 11\)",
    ),
    "an object has no trail": (
        "trails",
        SOUND["trails"][:6],
        r"1 instances are missing .*\(2, 21\)",
    ),
}


@pytest.mark.parametrize(("name", "rows", "words"), APART.values(), ids=APART.keys())
def test_tables_that_do_not_add_up_are_refused(
    tmp_path: Path, name: str, rows: list[Row], words: str
) -> None:
    write_tables(tmp_path, **{name: rows})
    with pytest.raises(ValueError, match=words):
        run(tmp_path)
    assert not (tmp_path / "metrics.json").exists()


def test_tables_of_different_counts_are_refused(tmp_path: Path) -> None:
    write_tables(tmp_path)
    empty = rows_table(RECORDS["trails"], [])
    for number in (0, 1, 2):
        path = tmp_path / f"trails-{number:04d}-of-0002.parquet"  # as the command line names it
        write_unchecked(path, RECORDS["trails"], empty, shard=f"{number:04d}-of-0003")
    with pytest.raises(
        ValueError, match=r"2 of proposals, 2 of selections, .* 3 of trails, 2 of grades\. Give"
    ):
        run(tmp_path, 2)


@pytest.mark.parametrize("name", SHARDED)
def test_each_table_must_be_whole_and_made_alike(tmp_path: Path, name: str) -> None:
    write_tables(tmp_path)
    record = RECORDS[name.replace("-", "_")]
    last = tmp_path / f"{name}-0001-of-0002.parquet"
    table = rows_table(record, [])
    write_unchecked(last, record, table, shard="0001-of-0002", settings={"chunk": 3})
    with pytest.raises(ValueError, match="made with other settings"):
        run(tmp_path, 2)
    last.unlink()
    with pytest.raises(ValueError, match=f"table {record.name} needs each of its 2 shards once"):
        run(tmp_path, 2)


def test_miou_star_counts_the_classes_of_the_data_set_both_ways(tmp_path: Path) -> None:
    """One class of two has objects."""
    write_tables(tmp_path)
    classes = {"category_id": [7, 9], "name": ["thing", "other"], "supercategory": ["", ""]}
    write_table(
        tmp_path / "categories.parquet", table_of(CATEGORIES, classes), CATEGORIES, {"seed": 3}
    )
    metrics = run(tmp_path, ground_truth=write_json(tmp_path / "truth.json", truth()))
    star = metrics["label_quality"]["choices"]["pseudo_label"]["miou_star"]
    assert star == pytest.approx({"present": 0.5, "all": 0.25})


FACTS = {
    "engine": "torchvision",
    "packages": {"torchvision": "0.29.1"},
    "images": 3,
    "annotations": 12,
    "masks_ignored": 4,
    "steps": 20,
    "last_loss": 0.75,
    "dropped": 0.125,
    "pasted": None,
}


def test_the_facts_of_the_training_stand_beside_the_detector(tmp_path: Path) -> None:
    write_tables(tmp_path)
    assert run(tmp_path)["training"] is None
    path = write_json(tmp_path / "training.json", FACTS)
    assert run(tmp_path, training=path)["training"] == FACTS
    printed = (tmp_path / "table.txt").read_text()
    assert "torchvision: images 3, annotations 12, masks ignored 4, steps 20" in printed
    assert "0.125 of RoIs dropped" in printed
    assert "pasted" not in printed


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"engine": 3}'])
def test_other_files_are_no_facts_of_a_training(tmp_path: Path, text: str) -> None:
    write_tables(tmp_path)
    path = tmp_path / "training.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="no facts of a training"):
        run(tmp_path, training=path)
    assert not (tmp_path / "metrics.json").exists()


def scored_detector(folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Metrics of a detector that finds everything, with these settings."""
    found = [
        {"image_id": image, "category_id": 7, "score": 0.9, **shape(*span)}
        for (image, _), span in SPANS.items()
    ]
    paths = {
        "val_ground_truth": write_json(folder / "truth.json", truth()),
        "predictions": write_json(folder / "predictions.json", found),
        "settings": json.dumps(settings),
    }
    return run(folder, **paths)  # type: ignore[arg-type]


def test_the_detector_has_voc_numbers_on_the_grid_of_the_settings(tmp_path: Path) -> None:
    write_tables(tmp_path)
    metrics = scored_detector(tmp_path, {"recall_points": 11})
    voc = metrics["detector"]["voc"]
    assert voc["recall_points"] == 11
    for kind in ("bbox", "segm"):
        assert voc[kind] == pytest.approx({"mAP25": 1, "mAP50": 1, "mAP70": 1, "mAP75": 1})
    assert metrics["detector"]["objects_per_class"] == {"7": 3}
    assert "precision read at 11 recalls" in (tmp_path / "table.txt").read_text()


def test_a_backend_that_is_not_installed_is_named_before_anything_is_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tables(tmp_path)
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    with pytest.raises(ValueError, match="faster-coco-eval is not installed"):
        scored_detector(tmp_path, {"backend": "faster_coco_eval"})
    assert not (tmp_path / "metrics.json").exists()


def test_the_other_backend_is_in_the_provenance(tmp_path: Path) -> None:
    pytest.importorskip("faster_coco_eval", reason="faster-coco-eval is not installed")
    write_tables(tmp_path)
    metrics = scored_detector(tmp_path, {"backend": "faster_coco_eval"})
    assert metrics["detector"]["segm"]["AP"] == pytest.approx(1)
    assert metrics["detector"]["scored_by"] == "faster_coco_eval"
    assert "faster-coco-eval" in metrics["provenance"]["packages"]
    assert "faster-coco-eval" not in scored_detector(tmp_path, {})["provenance"]["packages"]


def test_what_auto_took_is_in_the_metrics_the_log_and_the_provenance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tables(tmp_path)
    metrics = scored_detector(tmp_path, {})
    assert "evaluate: detections scored by hotcoco.\n" in capsys.readouterr().err
    assert metrics["provenance"]["packages"]["hotcoco"] == "1.3.0"
    reference = scored_detector(tmp_path, {"backend": "pycocotools"})
    assert "hotcoco" not in reference["provenance"]["packages"]
    assert {**reference["detector"], "scored_by": "hotcoco"} == metrics["detector"]


def test_the_figure_is_drawn_when_it_is_asked_for(tmp_path: Path) -> None:
    write_tables(tmp_path)
    goal = write_json(tmp_path / "truth.json", truth())
    run(tmp_path, ground_truth=goal, out_figure=tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as image:
        assert image.size == (1600, 520)


@pytest.mark.coco_tiny
def test_the_truth_of_real_photographs_scores_itself_with_ap_1() -> None:
    path = Path(os.environ["COCO_TINY"]) / "annotations" / "instances_val2017.json"
    gold = scoring_truth(path)
    objects = [entry for entry in gold["annotations"] if not entry["iscrowd"]]
    assert len(objects) < len(gold["annotations"])  # there are crowds
    detector = detector_ap(gold, [{**entry, "score": 1.0} for entry in objects])
    for kind in ("bbox", "segm"):
        assert detector[kind]["AP"] == pytest.approx(1)
    assert detector["objects"] == len(objects)
