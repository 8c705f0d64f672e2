"""Of each tag the surest mask at its peaks."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch

from stages.methods.kit import Kit
from stages.methods.selectors import clue_top1
from stages.settings.propose import Propose
from stages.settings.select import Select
from stages.tables.checks import validate
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.table import rows_table
from tests.bag_tables import ROWS, images, label, labels, proposals
from tests.tag_tables import tag_proposals

IMAGE = images().to_pylist()[0]
BOXES = [(0, 0, 20, 20), (30, 5, 60, 35), (0, 0, 22, 20)]
TAGS = (label(1, 5, "tag"), label(1, 6, "tag", category_id=20))


def bag(*classes: int | None, **more: Any) -> pa.Table:
    """Proposals of falling predicted IoU, each of the class of its prompt."""
    rows = tag_proposals(BOXES, **more).to_pylist()
    for row, category in zip(rows, classes, strict=True):
        row["category_id"] = category
    return rows_table(PROPOSALS, rows)


def scored(rows: pa.Table, *tags: dict[str, Any]) -> dict[int, dict[int, tuple[float, bool]]]:
    selector = clue_top1.opened_selector(
        Kit(Path(), (), Propose(), Select()), lambda: torch.device("cpu")
    )
    table = selector.scores(IMAGE, labels(*tags), rows)
    validate(table, SELECTIONS, "here")
    found: dict[int, dict[int, tuple[float, bool]]] = {}
    for row in table.to_pylist():
        mine = found.setdefault(row["category_id"], {})
        mine[row["proposal_id"]] = (row["score"], row["selected"])
    return found


def test_without_tags_nothing_is_scored() -> None:
    assert scored(bag(None, 10, 20)) == {}


def test_the_surest_mask_at_a_peak_of_the_class_is_chosen() -> None:
    found = scored(bag(None, 10, 10), *TAGS)
    assert [number for number, (_, chosen) in found[10].items() if chosen] == [1]
    assert [number for number, (_, chosen) in found[20].items() if chosen] == [0]  # no peak
    assert found[10][1][0] == pytest.approx((0.89 + 1) / 2)
    assert found[10][0][0] == pytest.approx(0.45)


def test_an_empty_mask_has_no_score() -> None:
    found = scored(bag(10, 10, 10, valid=False), *TAGS)
    assert {score for score, _ in found[10].values()} == {0}


def test_objects_with_points_are_refused() -> None:
    with pytest.raises(ValueError, match=r"prepare\.labels: tag"):
        scored(proposals(ROWS[:3]), *TAGS)
