"""Where labels come from, and that images are walked whatever is given of them."""

import json
from pathlib import Path

import pytest

from stages.scoring.coco_shapes import CocoShapes
from stages.scoring.matched_images import RefinedLabels, StrangeLabels, matched_images
from stages.tables.grades import GRADES
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.selections import SELECTIONS
from stages.tables.table import rows_by_image, rows_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.sound_rows import (
    grade_row,
    label_row,
    proposal_row,
    pseudo_label_row,
    selection_row,
    tag_row,
    write_shards,
)


def tables(folder: Path) -> dict[str, list[Path]]:
    """Image 2 has a bag of tags and a label born of it; image 3 a bag of a point."""
    rows = {
        "proposals": (PROPOSALS, [proposal_row(2, -1, 0), proposal_row(3, 8, 0)]),
        "selections": (SELECTIONS, [selection_row(2, -1, 0), selection_row(3, 8, 0)]),
        "pseudo_labels": (PSEUDO_LABELS, [pseudo_label_row(2, -1), pseudo_label_row(3, 8)]),
        "grades": (GRADES, [grade_row(2, -1), grade_row(3, 8)]),
    }
    return {name: write_shards(folder, name, *of, 2) for name, of in rows.items()}


def test_no_images_yield_nothing(tmp_path: Path) -> None:
    seen = matched_images([], {}, tables(tmp_path), given=RefinedLabels(), truth=None)
    assert list(seen) == []


def test_every_image_has_what_the_tables_say_of_it(tmp_path: Path) -> None:
    labels = rows_by_image(rows_table(WEAK_LABELS, [tag_row(2, 9), label_row(3, 8)]))
    first, second, third = matched_images(
        [1, 2, 3], labels, tables(tmp_path), given=RefinedLabels(), truth=None
    )
    assert [image.tags for image in (first, second, third)] == [set(), {1}, set()]
    assert [len(image.labels or []) for image in (first, second, third)] == [0, 1, 1]
    assert [
        len([] if image.proposals is None else image.proposals) for image in (first, second, third)
    ] == [0, 1, 1]
    assert (first.detections, third.detections) == (None, None)
    assert second.detections is not None
    assert second.objects is None


def test_without_tables_or_a_file_there_are_no_labels_to_judge(tmp_path: Path) -> None:
    (seen,) = matched_images([4], {}, None, given=StrangeLabels(None), truth=None)
    assert (seen.labels, seen.proposals, seen.detections) == (None, None, None)


@pytest.mark.parametrize("image_id", [1, 2])
def test_a_file_of_others_serves_labels_and_truth_alike(tmp_path: Path, image_id: int) -> None:
    path = tmp_path / "a.json"
    data = {
        "images": [{"id": k, "file_name": f"{k}.png", "height": 9, "width": 9} for k in (1, 2)],
        "categories": [{"id": 7, "name": "thing"}],
        "annotations": [{"id": 3, "image_id": 2, "category_id": 7, "bbox": [1, 2, 3, 4]}],
    }
    path.write_text(json.dumps(data))
    file = CocoShapes(path)
    (seen,) = matched_images([image_id], {}, None, given=StrangeLabels(file), truth=file)
    for shapes in (seen.labels, seen.objects):
        assert shapes is not None
        assert shapes.category_id.tolist() == [7] * (image_id == 2)
    assert seen.ignored is not None
    assert len(seen.ignored) == 0
