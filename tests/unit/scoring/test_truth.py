"""Ground truth for scoring: crowds and boxes without masks, gaps filled, damage named."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.geometry.masks import rle_areas
from stages.scoring.truth import Truth, read_results, scoring_truth

SQUARE = [[2, 3, 12, 3, 12, 13, 2, 13]]  # 10 x 10 px


def write(path: Path, *annotations: dict[str, Any]) -> Path:
    data = {
        "images": [{"id": 1, "file_name": "1.png", "height": 20, "width": 30}],
        "categories": [{"id": 7, "name": "thing"}],
        "annotations": [
            {"id": number, "image_id": 1, "category_id": 7, **entry}
            for number, entry in enumerate(annotations)
        ],
    }
    path.write_text(json.dumps(data))
    return path


def test_an_image_without_objects_has_none(tmp_path: Path) -> None:
    truth = Truth(write(tmp_path / "a.json", {"iscrowd": 1, "segmentation": SQUARE}))
    assert truth.objects(1) == {}
    assert truth.objects(99) == {}


def test_objects_have_masks_and_boxes_and_boxes_alone_are_counted(tmp_path: Path) -> None:
    truth = Truth(
        write(
            tmp_path / "a.json",
            {"segmentation": SQUARE},
            {"segmentation": SQUARE, "bbox": [2, 3, 10.5, 10]},
            {"bbox": [0, 0, 5, 5]},
        )
    )
    found = truth.objects(1)
    assert list(found) == [0, 1]
    assert rle_areas([found[0].rle]).tolist() == [100]
    assert found[0].box.tolist() == [2, 3, 12, 13]
    np.testing.assert_allclose(found[1].box, [2, 3, 12.5, 13])
    assert truth.without_mask == 1


@pytest.mark.parametrize(
    ("given", "seen"), [({}, None), ("part", "part"), ("", None), (3, None), (None, None)]
)
def test_a_difficulty_is_text_or_absent(tmp_path: Path, given: Any, seen: str | None) -> None:
    extra = {} if given == {} else {"difficulty": given}
    truth = Truth(write(tmp_path / "a.json", {"segmentation": SQUARE, **extra}))
    assert truth.objects(1)[0].difficulty == seen


@pytest.mark.parametrize(
    ("given", "seen"), [({}, 0), (5, 5), (None, 0), ([], 0), ({"a": 1}, 0), ("5", 0), (True, 0)]
)
def test_objects_go_by_the_number_that_translate_gave_them(
    tmp_path: Path, given: Any, seen: int
) -> None:
    extra = {} if given == {} else {"number_in_image": given}
    truth = Truth(write(tmp_path / "a.json", {"segmentation": SQUARE, **extra}))
    assert list(truth.objects(1)) == [seen]


def test_an_empty_mask_is_no_object(tmp_path: Path) -> None:
    empty = {"size": [20, 30], "counts": [600]}
    truth = Truth(write(tmp_path / "a.json", {"segmentation": empty}, {"segmentation": SQUARE}))
    assert list(truth.objects(1)) == [1]


def test_a_mask_of_another_size_is_named(tmp_path: Path) -> None:
    mask = {"size": [5, 5], "counts": [25]}
    truth = Truth(write(tmp_path / "a.json", {"segmentation": mask}))
    with pytest.raises(ValueError, match="annotation 0: RLE of size"):
        truth.objects(1)


def test_scoring_fills_in_what_pycocotools_needs(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {"segmentation": SQUARE}, {"segmentation": SQUARE, "area": 7})
    first, second = scoring_truth(path)["annotations"]
    assert first["bbox"] == [2, 3, 10, 10]
    assert (first["area"], second["area"]) == (100, 7)
    assert first["iscrowd"] == 0


def test_truth_that_has_boxes_alone_is_scored_by_boxes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {"segmentation": SQUARE}, {"bbox": [0, 0, 4, 5]})
    with pytest.raises(ValueError, match="annotation 0 has neither"):
        scoring_truth(path)
    path = write(tmp_path / "a.json", {"bbox": [0, 0, 4, 5]})
    entry = scoring_truth(path)["annotations"][0]
    assert entry["area"] == 20
    assert "segmentation" not in entry


@pytest.mark.parametrize(("text", "words"), [("{", "no COCO results"), ("{}", "no list")])
def test_damaged_results_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(ValueError, match=words):
        read_results(tmp_path / "results.json")
    with pytest.raises(ValueError, match="Rerun train"):
        read_results(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        ({"size": [20, 30], "counts": "n38<0000"}, r"result 1: RLE of \d+ px, image of 20 x 30 px"),
        ({"size": [20, 30], "counts": "o" * 9}, "result 1: the counts of an RLE are no COCO code"),
        ({"size": [20, 30], "counts": [601]}, "result 1: RLE of 601 px"),
        ({"counts": [600]}, "result 1: its segmentation is no RLE with a size"),
        ([[0, 0, 4, 0, 4, 4]], "result 1: its segmentation is no RLE with a size"),
    ],
)
def test_a_result_with_a_broken_mask_is_named(tmp_path: Path, mask: Any, words: str) -> None:
    found = {"image_id": 1, "category_id": 5, "score": 0.5, "bbox": [0, 0, 4, 4]}
    whole = {"size": [20, 30], "counts": [100, 20, 480]}
    path = tmp_path / "results.json"
    path.write_text(json.dumps([{**found, "segmentation": whole}, found]))
    assert len(read_results(path)) == 2
    path.write_text(json.dumps([found, {**found, "segmentation": mask}]))
    with pytest.raises(ValueError, match=words):
        read_results(path)
