"""evaluate with `match: iou`: labels of tags, of points and of others, against numbers by hand."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages import evaluate, export
from stages.geometry.masks import Rle, masks_to_rles, rle_boxes
from stages.scoring.whole_run import RECORDS
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
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
)

SIZE = (20, 40)
CAT, DOG, CAR = 5, 7, 9
SHARDED = ("proposals", "selections", "pseudo-labels", "trails", "grades")
NEW = ("label_match", "proposals", "wsod", "tags")
# true objects: image, annotation, class, columns
TRUTH = [
    *((1, 11, DOG, (0, 10)), (1, 12, DOG, (20, 30))),
    *((2, 21, CAT, (0, 20)), (3, 31, CAR, (30, 40))),
]
TAGS = [(1, 100, DOG), (2, 101, CAT), (2, 102, DOG), (3, 103, CAR)]  # the dog of 2 is not there
# proposals of the bag of tags: columns; image 3 has an empty bag
BAGS = {1: [(0, 10), (20, 22), (5, 40)], 2: [(0, 10), (0, 19)], 3: []}
# detections: image, proposal, class, score, selected, S_cls, S_ins
SCORES = [
    *((1, 0, DOG, 0.4, True, 0.5, 0.5), (1, 1, DOG, 0.9, True, 0.1, 0.1)),
    *((1, 2, DOG, 0.1, False, 0.2, 0.2), (2, 0, CAT, 0.3, False, 0.9, 0.9)),
    *((2, 0, DOG, 0.1, False, 0.1, 0.1), (2, 1, CAT, 0.8, True, 0.1, 0.8)),
    (2, 1, DOG, 0.2, True, 0.1, 0.1),
]
# labels born of tags: image, instance, class, columns, tag
BORN = [(1, -2, DOG, (20, 22), 100), (1, -1, DOG, (0, 10), 100), (2, -1, CAT, (0, 15), 101)]


def mask(start: int, end: int) -> Rle:
    pixels = np.zeros((1, *SIZE), dtype=np.uint8)
    pixels[0, 5:15, start:end] = 1
    return masks_to_rles(pixels)[0]


def shown(span: tuple[int, int]) -> Row:
    rle = mask(*span)
    box = rle_boxes([rle])[0].tolist()
    return {"rle": rle["counts"], "height": SIZE[0], "width": SIZE[1], "box": box}


def bag_of(image: int) -> list[Row]:
    rows = [
        proposal_row(image, -1, k, prompt_kind="grid", **shown(span))
        for k, span in enumerate(BAGS[image])
    ]
    empty = {"area": 0, "valid": False, **shown((0, 0)), "box": [0.0, 0.0, 1.0, 1.0]}
    return rows or [proposal_row(image, -1, 0, prompt_kind="grid", **empty)]


def scores() -> list[Row]:
    rows = [
        selection_row(
            *(image, -1, proposal),
            category_id=category_id,
            score=score,
            selected=selected,
            score_cls=cls,
            score_ins=ins,
            score_dis=None,
        )
        for image, proposal, category_id, score, selected, cls, ins in SCORES
    ]
    return [*rows, selection_row(3, -1, 0, category_id=CAR, selected=False)]


def born() -> list[Row]:
    return [
        pseudo_label_row(image, number, label_ids=[tag], category_id=category_id, **shown(span))
        for image, number, category_id, span, tag in BORN
    ]


def of_tags() -> dict[str, list[Row]]:
    """Rows of every sharded table, by the name of the flag."""
    return {
        "proposals": [row for image in BAGS for row in bag_of(image)],
        "selections": scores(),
        "pseudo-labels": born(),
        "trails": [trail_row(image, number, name="wsod") for image, number, *_ in BORN],
    }


def write_tables(folder: Path, labels: Sequence[Row], tables: dict[str, list[Row]]) -> None:
    write_rows(folder / "weak-labels.parquet", WEAK_LABELS, labels)
    names = {CAT: "cat", DOG: "dog", CAR: "car"}
    classes = [category_row(number, name=name) for number, name in names.items()]
    write_rows(folder / "categories.parquet", CATEGORIES, classes)
    graded = own_grades(tables["pseudo-labels"])
    tables = {**tables, "grades": graded}
    for count in (1, 2):
        images = [image_row(i, height=SIZE[0], width=SIZE[1], shard=i % count) for i in (1, 2, 3)]
        write_rows(folder / f"images-{count}.parquet", IMAGES, images)
        for name, rows in tables.items():
            write_shards(folder, name, RECORDS[name.replace("-", "_")], rows, count)


def tagged(folder: Path) -> Path:
    write_tables(folder, [tag_row(*tag[:2], category_id=tag[2]) for tag in TAGS], of_tags())
    return folder


def coco(objects: Sequence[tuple[int, int, int, tuple[int, int]]], **more: Any) -> dict[str, Any]:
    annotations = []
    for image, number, category_id, span in objects:
        rle, box = mask(*span), shown(span)["box"]
        shape = {"size": list(SIZE), "counts": rle["counts"].decode()}
        place = {"id": number, "image_id": image, "category_id": category_id, "segmentation": shape}
        annotations.append({**place, "bbox": [*box[:2], box[2] - box[0], box[3] - box[1]], **more})
    sizes = {"height": SIZE[0], "width": SIZE[1]}
    return {
        "images": [{"id": i, "file_name": f"{i}.png", **sizes} for i in (1, 2, 3)],
        "categories": [
            {"id": CAT, "name": "cat"},
            {"id": DOG, "name": "dog"},
            {"id": CAR, "name": "car"},
        ],
        "annotations": annotations,
    }


def write_json(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data))
    return path


def truth(folder: Path) -> Path:
    return write_json(folder / "truth.json", coco(TRUTH, iscrowd=0))


def run(
    folder: Path,
    shards: int = 1,
    tables: Sequence[str] = SHARDED,
    match: str = "iou",
    **paths: Path,
) -> dict[str, Any]:
    words = [f"--out={folder / 'metrics.json'}", f"--out-table={folder / 'table.txt'}"]
    words += [f"--images={folder}/images-{shards}.parquet", f"--out-figure={folder / 'a.png'}"]
    for name in ("weak-labels", "categories"):
        words.append(f"--{name}={folder / name}.parquet")
    for name in tables:
        found = sorted(folder.glob(f"{name}-*-of-{shards:04d}.parquet"))
        words += [f"--{name}", *map(str, found)]
    words += [f"--{name.replace('_', '-')}={path}" for name, path in paths.items()]
    words.append(f"--settings={json.dumps({'match': match})}")
    evaluate.main(words)
    return json.loads((folder / "metrics.json").read_text())  # type: ignore[no-any-return]


def test_without_ground_truth_only_tags_are_counted(tmp_path: Path) -> None:
    metrics = run(tagged(tmp_path))
    assert [metrics[name] for name in NEW[:3]] == [None] * 3
    assert metrics["tags"]["without_label"] == 2
    assert "no ground truth" in (tmp_path / "table.txt").read_text()


def test_labels_of_tags_are_matched_by_iou(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of three labels one is its object, one 3/4 of it, one a fifth; the car has none."""
    metrics = run(tagged(tmp_path), ground_truth=truth(tmp_path))
    for kind in ("boxes", "masks"):
        seen = metrics["label_match"][kind]
        assert (seen["labels"], seen["objects"], seen["matched"]) == (3, 4, 2)
        assert (seen["missed"], seen["extra"], seen["part"]) == (2, 1, 1)
        assert seen["precision"] == pytest.approx(2 / 3)
        assert seen["recall"] == 0.5
        assert seen["f1"] == pytest.approx(4 / 7)
        assert seen["label_iou"] == pytest.approx((1 + 0.75 + 0.2) / 3)
        assert seen["object_iou"] == pytest.approx(1.75 / 4)
        assert seen["per_class"][str(CAR)]["recall"] == 0
    assert sum(metrics["label_match"]["iou_histogram"]["n"]) == 3
    assert metrics["counts"]["scored"] == 4
    assert metrics["label_quality"] is None
    said = capsys.readouterr().err
    assert "3 labels of 4 objects by IoU: 2 matched, 2 missed, 1 extra." in said


def test_proposals_detections_and_tags_are_counted_by_hand(tmp_path: Path) -> None:
    """Best dog: a fifth of one; best cat: 19/20, by the two-branch head alone half."""
    metrics = run(tagged(tmp_path), ground_truth=truth(tmp_path))
    recall = metrics["proposals"]
    assert (recall["n"], recall["proposals"], recall["images_without"]) == (4, 5, 1)
    assert recall["per_image"] == pytest.approx(5 / 3)
    assert (recall["recall_50"], recall["recall_90"]) == (0.5, 0.5)
    corloc = metrics["wsod"]["corloc"]
    assert (corloc["n"], corloc["hits"], corloc["part"], corloc["without_box"]) == (3, 1, 1, 1)
    assert corloc["corloc"] == pytest.approx(1 / 3)
    alone = metrics["wsod"]["corloc_two_branch"]
    assert (alone["hits"], alone["per_class"][str(DOG)]["corloc"]) == (2, 1)
    average = metrics["wsod"]["ap50"]
    assert average["detections"] == 4  # the selected ones, that of no tag of an object too
    dog = average["per_class"][str(DOG)]  # wrong, right, wrong: precision 1/2 at recall 1/2
    assert (dog["ap50_area"], dog["ap50_11"]) == (0.25, pytest.approx(6 * 0.5 / 11))
    assert average["ap50_area"] == pytest.approx((0.25 + 1 + 0) / 3)
    assert metrics["tags"] == {
        "tags": 4,
        "images": 3,
        "without_label": 2,
        "without_object": 1,
        "untagged": 0,
    }


def test_a_moved_box_stands_for_its_proposal_but_not_for_the_two_branch_head(
    tmp_path: Path,
) -> None:
    """MIST moves the fifth of a dog onto the whole one."""
    rows = of_tags()
    rows["selections"][1]["box"] = [20.0, 5.0, 30.0, 15.0]
    labels = [tag_row(*tag[:2], category_id=tag[2]) for tag in TAGS]
    write_tables(tmp_path, labels, rows)
    wsod = run(tmp_path, ground_truth=truth(tmp_path))["wsod"]
    assert wsod["corloc"]["per_class"][str(DOG)]["hits"] == 1
    assert wsod["ap50"]["per_class"][str(DOG)]["ap50_area"] == 1
    rows["selections"][1] |= {"score_cls": 1.0, "score_ins": 1.0}
    write_tables(tmp_path, labels, rows)
    wsod = run(tmp_path, ground_truth=truth(tmp_path))["wsod"]
    assert wsod["corloc_two_branch"]["per_class"][str(DOG)]["part"] == 1


def test_a_method_without_two_branches_has_one_corloc(tmp_path: Path) -> None:
    rows = of_tags()
    rows["selections"] = [{**row, "score_cls": None} for row in rows["selections"]]
    write_tables(tmp_path, [tag_row(*tag[:2], category_id=tag[2]) for tag in TAGS], rows)
    wsod = run(tmp_path, ground_truth=truth(tmp_path))["wsod"]
    assert wsod["corloc_two_branch"] is None
    assert wsod["corloc"]["hits"] == 1
    assert "two-branch" not in (tmp_path / "table.txt").read_text()


def test_the_table_tells_every_class_by_name_and_the_figure_is_drawn(tmp_path: Path) -> None:
    run(tagged(tmp_path), ground_truth=truth(tmp_path))
    text = (tmp_path / "table.txt").read_text()
    assert "3 labels, 4 objects in 3 images" in text
    assert "Tags: 4 in 3 images, 2 of them without any label of their class; 1 name" in text
    assert "Proposals: 1.667 an image in 3 images, 1 without any" in text
    for start in ("refined score", "two-branch head alone"):
        assert any(line.startswith(start) for line in text.splitlines())
    for name in ("cat", "dog", "car"):
        assert sum(line.startswith(f"{name} ") for line in text.splitlines()) == 3
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_one_shard_and_two_give_the_same_bytes(tmp_path: Path) -> None:
    goal = truth(tagged(tmp_path))
    run(tmp_path, 1, ground_truth=goal)
    once = (tmp_path / "metrics.json").read_bytes()
    run(tmp_path, 2, ground_truth=goal)
    assert (tmp_path / "metrics.json").read_bytes() == once


def test_by_instance_labels_of_tags_are_counted_and_that_is_said(tmp_path: Path) -> None:
    metrics = run(tagged(tmp_path), match="instance", ground_truth=truth(tmp_path))
    assert metrics["tags"] == {"tags": 4, "images": 3, "labels": 3}
    assert (metrics["counts"]["instances"], metrics["counts"]["scored"]) == (0, 0)
    assert [metrics[name] for name in NEW[:3]] == [None] * 3
    text = (tmp_path / "table.txt").read_text()
    assert "3 pseudo-labels of 4 tags in 3 images come from no object" in text
    assert "evaluate.match: iou scores them" in text


def test_auto_matches_labels_of_tags_by_iou_and_others_with_their_objects(tmp_path: Path) -> None:
    for name, make in (("tags", tagged), ("points", pointed)):
        folder = tmp_path / name
        folder.mkdir()
        goal = truth(make(folder))
        wanted = run(folder, match="iou" if name == "tags" else "instance", ground_truth=goal)
        seen = run(folder, match="auto", ground_truth=goal)
        for metrics in (seen, wanted):
            metrics.pop("provenance")
        assert seen == wanted


POINTED = [(1, 11, (0, 10)), (1, 12, (20, 28))]  # the second label lacks a fifth


def pointed(folder: Path) -> Path:
    """A run of points: a bag and a label for each of two objects."""
    labels = [label_row(1, number, category_id=DOG) for _, number, _ in POINTED]
    rows: dict[str, list[Row]] = {name: [] for name in SHARDED}
    for image, number, span in POINTED:
        rows["proposals"].append(proposal_row(image, number, 0, **shown(span)))
        rows["selections"].append(selection_row(image, number, 0, category_id=DOG))
        facts = {"category_id": DOG, **shown(span)}
        rows["pseudo-labels"].append(pseudo_label_row(image, number, **facts))
        rows["trails"].append(trail_row(image, number))
    write_tables(folder, labels, rows)
    return folder


def test_labels_of_points_are_matched_by_iou_as_well(tmp_path: Path) -> None:
    metrics = run(pointed(tmp_path), ground_truth=truth(tmp_path))
    assert metrics["label_match"]["masks"]["matched"] == 2
    assert metrics["label_match"]["masks"]["label_iou"] == pytest.approx(0.9)
    assert metrics["proposals"]["recall_75"] == 0.5
    assert (metrics["wsod"], metrics["tags"]) == (None, None)
    assert metrics["counts"]["instances"] == 2


def test_labels_of_points_have_the_mean_iou_that_instances_tell(tmp_path: Path) -> None:
    goal = truth(pointed(tmp_path))
    choice = run(tmp_path, match="instance", ground_truth=goal)
    quality = choice["label_quality"]["choices"]["pseudo_label"]
    assert {choice[name] for name in NEW} == {None}
    match = run(tmp_path, ground_truth=goal)["label_match"]
    assert match["masks"]["label_iou"] == pytest.approx(quality["mask_iou"])
    assert match["boxes"]["label_iou"] == pytest.approx(quality["box_iou"])


def test_the_exported_file_gives_the_numbers_of_refine(tmp_path: Path) -> None:
    goal = truth(tagged(tmp_path))
    refined = run(tmp_path, ground_truth=goal)
    words = [f"--out={tmp_path / 'labels.json'}", f"--images={tmp_path}/images-1.parquet"]
    for name in ("weak-labels", "categories"):
        words.append(f"--{name}={tmp_path / name}.parquet")
    for name in ("pseudo-labels", "grades"):
        words.append(f"--{name}={tmp_path / name}-0000-of-0001.parquet")
    export.main(words)
    path = tmp_path / "labels.json"
    written = run(tmp_path, ground_truth=goal, exported=path)
    assert written["label_match"] == refined["label_match"]
    assert written["pseudo_labels"] == {"annotations": 3, "without_mask": 0}
    alone = run(tmp_path, tables=(), ground_truth=goal, exported=path)  # as a file of others
    assert alone["label_match"] == refined["label_match"]
    assert alone["pseudo_labels"] is None


def test_a_file_of_others_is_scored_without_tables_scores_or_order(tmp_path: Path) -> None:
    found = [(2, 3, CAT, (0, 20)), (1, 1, DOG, (0, 10)), (1, 2, CAR, (20, 30))]
    path = write_json(tmp_path / "theirs.json", coco(found))
    goal = truth(tagged(tmp_path))
    metrics = run(tmp_path, tables=(), ground_truth=goal, exported=path)
    seen = metrics["label_match"]["masks"]
    assert (seen["matched"], seen["missed"], seen["extra"]) == (2, 2, 1)
    assert sum(metrics["label_match"]["iou_histogram"]["n"]) == 0  # no scores, so none drawn
    assert (metrics["proposals"], metrics["wsod"]) == (None, None)


def test_boxes_alone_are_matched_by_boxes_alone(tmp_path: Path) -> None:
    data = coco(TRUTH)
    for entry in data["annotations"]:
        del entry["segmentation"]
    goal = write_json(tmp_path / "truth.json", data)
    metrics = run(tagged(tmp_path), ground_truth=goal)
    assert metrics["label_match"]["masks"] is None
    assert metrics["label_match"]["boxes"]["matched"] == 2
    assert metrics["wsod"]["corloc"]["hits"] == 1
    assert "masks are not compared" in (tmp_path / "table.txt").read_text()


def test_crowds_are_no_objects_and_what_lies_on_them_is_left_out(tmp_path: Path) -> None:
    data = coco(TRUTH)
    data["annotations"][1]["iscrowd"] = 1
    data["annotations"][0]["iscrowd"] = 0
    rows = of_tags()
    rows["pseudo-labels"][0] |= shown((20, 29))
    write_tables(tmp_path, [tag_row(*tag[:2], category_id=tag[2]) for tag in TAGS], rows)
    metrics = run(tmp_path, ground_truth=write_json(tmp_path / "truth.json", data))
    seen = metrics["label_match"]["masks"]
    assert (seen["objects"], seen["labels"], seen["ignored"], seen["extra"]) == (3, 2, 1, 0)
    assert "1 on crowds are left out" in (tmp_path / "table.txt").read_text()


def test_a_detector_alone_is_scored_without_labels(tmp_path: Path) -> None:
    goal = truth(tagged(tmp_path))
    predictions = write_json(tmp_path / "predictions.json", [])
    paths = {"val_ground_truth": goal, "predictions": predictions}
    metrics = run(tmp_path, tables=(), ground_truth=goal, **paths)
    assert metrics["label_match"] is None
    assert metrics["detector"]["bbox"]["AP"] == 0
    assert "no tables of proposals and choices" in (tmp_path / "table.txt").read_text()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": [{"id": 8, "file_name": "8.png", "height": 9, "width": 9}]}, "none of the 3"),
        ({"categories": [{"id": DOG, "name": "wolf"}]}, "category 7 is 'wolf' here and 'dog' in"),
    ],
    ids=["other images", "other classes"],
)
def test_a_file_that_is_of_something_else_is_refused(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    data = {**coco([(1, 1, DOG, (0, 10))]), **change}
    data["annotations"][0]["image_id"] = data["images"][0]["id"]
    path = write_json(tmp_path / "theirs.json", data)
    goal = truth(tagged(tmp_path))
    with pytest.raises(ValueError, match=words):
        run(tmp_path, tables=(), ground_truth=goal, exported=path)
    assert not (tmp_path / "metrics.json").exists()


def test_some_of_the_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--selections missing"):
        run(tagged(tmp_path), tables=("proposals", "pseudo-labels", "trails", "grades"))
