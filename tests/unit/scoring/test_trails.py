"""Steps of a method as choices and boxes."""

from typing import Any

import pytest

from stages.scoring.trails import chosen_of, refined_of, steps_of
from stages.tables.table import rows_table
from stages.tables.trail import TRAIL
from tests.sound_rows import BOX, trail_row

STEPS = [
    trail_row(1, 3, 0, name="psm", proposal_id=4),
    trail_row(1, 3, 1, name="prm", proposal_id=2),
    trail_row(1, 3, 2, name="prm_bms", proposal_id=0, note="overlap"),
    trail_row(1, 5, 0, name="given", proposal_id=None),
]


def steps(rows: list[dict[str, Any]]) -> Any:
    return steps_of(rows_table(TRAIL, rows))


def test_an_image_without_rows_has_no_steps() -> None:
    assert steps_of(None) == {}


def test_each_step_on_a_proposal_is_a_choice() -> None:
    found = steps(STEPS)
    assert {number: chosen_of(taken) for number, taken in found.items()} == {
        3: {"psm": 4, "prm": 2, "prm_bms": 0},
        5: {},
    }


def test_of_a_step_taken_twice_the_later_one_counts() -> None:
    twice = [trail_row(step=k, name="oicr", proposal_id=9 - k) for k in range(3)]
    assert chosen_of(steps(twice)[3]) == {"oicr": 7}


def test_boxes_bear_the_names_of_the_metrics() -> None:
    assert refined_of(steps(STEPS)[3]) == {"box_psm": BOX, "box_select": BOX, "box_prm": BOX}


@pytest.mark.parametrize(
    "rows",
    [STEPS[3:], STEPS[:2], [*STEPS[:2], {**STEPS[2], "box": None}]],
    ids=["another method", "a step is missing", "a step without a box"],
)
def test_without_all_three_boxes_there_are_none(rows: list[dict[str, Any]]) -> None:
    (taken,) = steps(rows).values()
    assert refined_of(taken) is None
