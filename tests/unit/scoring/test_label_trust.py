"""Grades held against true objects, by hand: four labels, of which one has no object."""

from pathlib import Path

import pytest

from stages.scoring.label_trust import FORETELLING, label_trust
from stages.tables.grades import GRADES
from stages.tables.judged_objects import JUDGED_OBJECTS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import rows_table
from tests.sound_rows import grade_row, judged_object_row, pseudo_label_row, write_shards

KEYS = [(1, 3), (2, 4), (2, 5), (3, 6)]


def test_without_objects_nothing_is_told() -> None:
    assert label_trust(rows_table(JUDGED_OBJECTS, []), [], []) is None


def test_each_number_is_held_against_the_labels_own_object(tmp_path: Path) -> None:
    ious = [0.9, 0.2, 0.6]
    objects = [judged_object_row(*key, mask_iou=iou) for key, iou in zip(KEYS, ious, strict=False)]
    grades = [
        grade_row(*key, score=score, mask_quality=quality, predicted_iou=expected)
        for key, score, quality, expected in zip(
            KEYS, (0.9, 0.3, 0.8, 0.1), (0.9, 0.2, 0.6, 0.9), (0.5, None, 1.25, 0.0), strict=True
        )
    ]
    made = [
        pseudo_label_row(*key, score=score)
        for key, score in zip(KEYS, (0.1, 0.9, 0.2, 0.5), strict=True)
    ]
    files = [
        write_shards(tmp_path, name, record, rows, 2)
        for name, record, rows in (("g", GRADES, grades), ("p", PSEUDO_LABELS, made))
    ]
    found = label_trust(rows_table(JUDGED_OBJECTS, objects), *files)
    assert found is not None
    assert list(found) == list(FORETELLING)
    assert found["mask_quality"]["iou_error"] == pytest.approx(0, abs=1e-6)
    assert found["score"]["good_error"] == pytest.approx((0.1 + 0.3 + 0.2) / 3)
    assert found["method_score"]["auroc"] == 0.0
    assert found["predicted_iou"]["n"] == 2
