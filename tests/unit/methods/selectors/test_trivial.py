"""Choices without learning: by area, slot and the segmenter's own score."""

from typing import Any

import pyarrow as pa
import pytest
import torch

from stages.methods.kit import Kit
from stages.methods.selectors import trivial
from stages.settings.propose import Propose
from stages.settings.select import Select
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.table import rows_table
from tests.bag_tables import images, label, labels, proposals

IMAGE = images().to_pylist()[0]
PROMPTS = [  # kind, derived, slot, area, predicted IoU of the proposals of bag 5
    ("point", None, 0, 9, 0.5),
    ("point", None, 1, 30, 0.7),
    ("point", None, 2, 80, 0.6),
    ("inner_points", 0, 0, 20, 0.9),
    ("mirrored_point", None, 0, 90, 1.2),
]


def scored(method: str, kinds: list[Any] = PROMPTS, label_kind: str = "point") -> pa.Table:
    rows = proposals([(1, 5, slot, 0.5, True) for slot in range(len(kinds))]).to_pylist()
    for row, (kind, derived, slot, area, score) in zip(rows, kinds, strict=True):
        row |= {"prompt_kind": kind, "derived": derived, "mask_index": slot}
        row |= {"area": area, "predicted_iou": score}
    table = rows_table(PROPOSALS, rows).select(["image_id", "bag_id", "proposal_id"])
    for name in trivial.COLUMNS:
        table = table.append_column(name, rows_table(PROPOSALS, rows).column(name))
    selector = trivial.opened_selector(kit(method), lambda: torch.device("cpu"))
    return selector.scores(IMAGE, labels(label(1, 5, label_kind)), table)


def kit(method: str) -> Kit:
    folder: Any = None
    return Kit(folder, (10,), Propose(), Select(method=method))


@pytest.mark.parametrize(
    ("method", "wanted"),
    [("sam_top1", 1), ("largest", 4), ("median_area", 1), ("fixed_slot_1", 0), ("fixed_slot_3", 2)],
)
def test_each_method_chooses_by_its_own_rule(method: str, wanted: int) -> None:
    table = scored(method)
    assert table.schema.equals(SELECTIONS.schema)
    assert table.column("selected").to_pylist() == [i == wanted for i in range(5)]
    scores = [0.5, 0.7, 0.6, 0.9, 1.0]  # cut to 1
    assert table.column("score").to_pylist() == pytest.approx(scores)
    assert table.column("bag_score").to_pylist() == pytest.approx([scores[wanted]] * 5)
    assert table.column("category_id").to_pylist() == [10] * 5


def test_what_the_method_does_not_have_is_null() -> None:
    table = scored("largest")
    for name in ("score_cls", "score_ins", "score_dis", "box"):
        assert table.column(name).null_count == 5


def test_the_answers_to_a_box_are_as_good_as_those_to_a_point() -> None:
    boxes = [("box", None, 0, 9, 0.5), ("box", None, 1, 30, 0.7), ("boxes", 0, 0, 30, 0.9)]
    table = scored("sam_top1", boxes, "box")
    assert table.column("selected").to_pylist() == [False, True, False]


def test_where_the_slot_is_not_there_the_first_is_chosen() -> None:
    table = scored("fixed_slot_3", PROMPTS[:2])
    assert table.column("selected").to_pylist() == [True, False]


def test_nothing_but_numpy_matters() -> None:
    assert trivial.facts_of_method(kit("largest")) == {"packages": ("numpy",)}


def test_a_bag_of_tags_has_a_row_for_each_class_and_the_same_choice_in_each() -> None:
    rows = proposals([(1, -1, slot, 0.5, True) for slot in range(3)]).to_pylist()
    for row, (area, score) in zip(rows, [(9, 0.5), (80, 0.7), (30, 0.6)], strict=True):
        row |= {"prompt_kind": "grid", "area": area, "predicted_iou": score}
    selector = trivial.opened_selector(kit("largest"), lambda: torch.device("cpu"))
    tags = labels(
        label(1, 5, "tag", category_id=30),
        label(1, 6, "tag"),
        label(1, 7, "tag", category_id=20, status="deleted"),
    )
    table = selector.scores(IMAGE, tags, rows_table(PROPOSALS, rows))
    assert table.column("proposal_id").to_pylist() == [0, 0, 1, 1, 2, 2]
    assert table.column("category_id").to_pylist() == [10, 30] * 3
    assert table.column("selected").to_pylist() == [False, False, True, True, False, False]
    assert table.column("score").to_pylist() == pytest.approx([0.5, 0.5, 0.7, 0.7, 0.6, 0.6])
