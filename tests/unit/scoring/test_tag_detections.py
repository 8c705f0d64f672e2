"""Detections of the bag of tags: rows joined with their proposals, moved boxes, empty bags."""

from typing import Any

import pyarrow as pa

from stages.scoring.tag_detections import OFFERED, SCORED, offered_boxes, tag_detections
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.table import rows_table
from tests.sound_rows import proposal_row, selection_row


def box(number: int) -> list[float]:
    return [float(number), 0.0, number + 2.0, 3.0]


def proposals(*numbers: int, bag: int = -1, **more: Any) -> list[dict[str, Any]]:
    return [proposal_row(1, bag, number, box=box(number), **more) for number in numbers]


def offered(*rows: dict[str, Any]) -> pa.Table:
    return rows_table(PROPOSALS, rows).select(list(OFFERED))


def scored(*rows: dict[str, Any]) -> pa.Table:
    return rows_table(SELECTIONS, rows).select(list(SCORED))


def test_without_a_bag_of_tags_there_are_no_detections() -> None:
    point, score = offered(*proposals(0, bag=4)), scored(selection_row(1, 4, 0))
    assert tag_detections(None, None) is None
    assert tag_detections(point, None) is None
    assert tag_detections(point, score) is None
    assert offered_boxes(None).shape == (0, 4)
    assert offered_boxes(point).tolist() == [box(0)]


def test_every_row_finds_the_box_of_its_proposal() -> None:
    rows = [*proposals(0, 2, 3), *proposals(0, bag=4)]
    facts = {"score_cls": 0.5, "score_ins": 0.25}
    choices = [
        selection_row(1, -1, 0, category_id=7, score=0.1, selected=False, **facts),
        selection_row(1, -1, 2, category_id=7, score=0.2, box=[9.0, 0.0, 12.0, 3.0], **facts),
        selection_row(1, -1, 2, category_id=8, score=0.3, **facts),
        selection_row(1, -1, 3, category_id=7, score=0.4, **facts),
        selection_row(1, 4, 0, category_id=7, score=0.9),
    ]
    seen = tag_detections(offered(*rows), scored(*choices))
    assert seen is not None
    assert seen.boxes.category_id.tolist() == [7, 7, 8, 7]
    assert seen.boxes.boxes[:, 0].tolist() == [0, 9, 2, 3]
    assert seen.own[:, 0].tolist() == [0, 2, 2, 3]
    assert seen.selected.tolist() == [False, True, True, True]
    assert seen.two_branch is not None
    assert seen.two_branch.tolist() == [0.125] * 4
    assert len(offered_boxes(offered(*rows))) == 4


def test_a_method_without_two_branches_has_no_score_of_them() -> None:
    seen = tag_detections(offered(*proposals(0)), scored(selection_row(1, -1, 0, score_ins=None)))
    assert seen is not None
    assert seen.two_branch is None


def test_a_bag_that_is_kept_from_being_empty_has_no_box() -> None:
    rows = proposals(0, valid=False)
    seen = tag_detections(offered(*rows), scored(selection_row(1, -1, 0)))
    assert seen is not None
    assert len(seen.boxes) == len(seen.own) == len(seen.selected) == 0
    assert offered_boxes(offered(*rows)).shape == (0, 4)
