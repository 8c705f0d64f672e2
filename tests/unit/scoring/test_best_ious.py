"""The true object that a label fits best: of its class alone, and more than one label may."""

import json
from pathlib import Path

import numpy as np
import pytest

from stages.geometry.masks import masks_to_rles
from stages.scoring.best_ious import add_best_ious
from stages.scoring.coco_shapes import CocoShapes
from stages.scoring.object_ious import ObjectIous
from stages.tables.grades import GRADES
from stages.tables.pseudo_labels import PSEUDO_LABELS
from tests.sound_rows import Row, grade_row, pseudo_label_row, write_shards

TRUTH = [(11, 1, (0, 10)), (12, 1, (20, 30)), (13, 2, (0, 40))]  # id, class, columns
LABELS = [(-3, 2, (50, 60)), (-2, 1, (5, 10)), (-1, 1, (0, 10))]


def shown(span: tuple[int, int]) -> Row:
    mask = np.zeros((1, 20, 100), dtype=np.uint8)
    mask[0, 5:15, span[0] : span[1]] = 1
    return {"rle": masks_to_rles(mask)[0]["counts"], "height": 20, "width": 100}


def test_the_best_object_of_the_class_counts(tmp_path: Path) -> None:
    annotations = [
        {
            **{"id": number, "image_id": 1, "category_id": category, "bbox": [0, 0, 1, 1]},
            "segmentation": {"size": [20, 100], "counts": shown(span)["rle"].decode()},
        }
        for number, category, span in TRUTH
    ]
    images = [{"id": k, "file_name": f"{k}.png", "height": 20, "width": 100} for k in (1, 2)]
    classes = [{"id": k, "name": str(k)} for k in (1, 2)]
    whole = {"images": images, "categories": classes, "annotations": annotations}
    (tmp_path / "t.json").write_text(json.dumps(whole))
    rows = [
        pseudo_label_row(1, number, category_id=category, **shown(span))
        for number, category, span in LABELS
    ]
    tables = {
        "pseudo_labels": write_shards(tmp_path, "p", PSEUDO_LABELS, rows, 1),
        "grades": write_shards(tmp_path, "g", GRADES, [grade_row(1, n) for n, *_ in LABELS], 1),
    }
    ious = ObjectIous()
    truth = CocoShapes(tmp_path / "t.json")
    add_best_ious(ious, [1, 2], tables, exported=None, truth=truth)
    found = {row["instance_id"]: row["mask_iou"] for row in ious.table().to_pylist()}
    assert found == {-3: 0.0, -2: pytest.approx(0.5), -1: pytest.approx(1.0)}
