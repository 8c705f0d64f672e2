"""Evidence of an image from rows of its tables: each label has that of its own bag."""

import numpy as np
import pyarrow as pa
import pytest

from stages.geometry.masks import masks_to_rles
from stages.grading.evidence import EVIDENCE, evidence_of, kind_of, points_of
from stages.tables.grades import GRADES, NUMBERS
from tests.sound_rows import (
    Row,
    label_row,
    proposal_row,
    pseudo_label_row,
    selection_row,
)

NAMES = tuple(EVIDENCE)


def shown(start: int, end: int) -> Row:
    mask = np.zeros((1, 20, 100), dtype=np.uint8)
    mask[0, 5:15, start:end] = 1
    box = [float(start), 5.0, float(max(end, start + 1)), 15.0]
    return {"rle": masks_to_rles(mask)[0]["counts"], "height": 20, "width": 100, "box": box}


def test_the_table_has_a_column_for_each_piece_of_evidence() -> None:
    assert tuple(NUMBERS) == NAMES
    assert {field.name for field in GRADES.columns if field.type == pa.float32()} >= set(NAMES)


def test_no_labels_have_no_evidence() -> None:
    assert evidence_of([], [], [], []).shape == (0, len(NAMES))


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "point"),
        ({"box_given": True}, "box"),
        ({"instance_id": -2}, "tag"),
        ({"mask_source": "given", "box_given": True}, "mask"),
    ],
    ids=["point", "box", "tag", "mask"],
)
def test_the_most_telling_thing_that_was_given_is_the_kind(changes: Row, kind: str) -> None:
    assert kind_of(pseudo_label_row(**changes)) == kind


def test_points_that_were_deleted_count_for_nothing() -> None:
    rows = [label_row(1, 3), label_row(1, 4, status="deleted"), label_row(1, 5, instance_id=3)]
    found = points_of(rows)
    assert list(found) == [3]
    assert found[3][1].tolist() == [[1.5, 2.25]] * 2


def test_each_label_is_held_against_its_own_bag_and_class() -> None:
    """Object 3 has two bars and an empty one, which counts for nothing; -1 is born of a tag."""
    labels = [
        pseudo_label_row(1, -1, category_id=2, proposal_id=1, **shown(60, 70)),
        pseudo_label_row(1, 3, **shown(0, 10)),
        pseudo_label_row(1, 4, **shown(20, 30)),
        pseudo_label_row(1, 5, **shown(40, 50)),
    ]
    weak = [label_row(1, 3, x=5.0, y=8.0), label_row(1, 4, x=55.0, y=8.0)]
    bags = [
        proposal_row(1, -1, 0, **shown(0, 50)),
        proposal_row(1, -1, 1, **shown(60, 70)),
        proposal_row(1, 3, 0, **shown(0, 10)),
        proposal_row(1, 3, 1, **shown(0, 40)),
        proposal_row(1, 3, 2, valid=False, **shown(0, 0)),
        proposal_row(1, 4, 0, **shown(20, 30)),
    ]
    scores = [
        *(selection_row(1, -1, k, category_id=2, score=0.5, bag_score=0.25) for k in (0, 1)),
        *(selection_row(1, -1, k, category_id=9, score=0.9, bag_score=0.75) for k in (0, 1)),
        *(selection_row(1, 3, k) for k in (0, 1, 2)),
        selection_row(1, 4, 0),
    ]
    found = evidence_of(labels, weak, bags, scores)
    told = [dict(zip(NAMES, row.tolist(), strict=True)) for row in found]
    assert [row["spread"] for row in told[:3]] == pytest.approx([0.5, 0.625, 1.0])
    assert [row["bag_score"] for row in told[:3]] == [0.25, 0.5, 0.5]  # of its own class
    assert np.isnan(told[3]["spread"])  # it has no bag
    assert [row["inside"] for row in told[1:3]] == [1.0, 0.0]
    assert np.isnan([told[0]["inside"], told[3]["inside"]]).all()


def test_an_empty_mask_says_nothing_of_itself() -> None:
    found = evidence_of([pseudo_label_row(1, 3, **shown(0, 0))], [label_row(1, 3)], [], [])
    assert np.isnan(found[0, NAMES.index("pieces") :]).all()
