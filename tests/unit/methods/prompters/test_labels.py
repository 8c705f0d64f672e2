"""The weak labels as prompts: of each kind, in the order of the table."""

from typing import Any

import pytest

from stages.methods.prompters.labels import opened_prompter
from stages.settings.prompters.labels import Settings
from stages.tables.checks import validate
from stages.tables.prompts import PROMPTS
from stages.tables.table import rows_table
from stages.tables.weak_labels import WEAK_LABELS

IMAGE = {"image_id": 7}
BOX = [1.0, 2.0, 8.0, 9.5]


def label(label_id: int, kind: str, bag_id: int, **more: Any) -> dict[str, Any]:
    instance = None if kind == "tag" else bag_id
    ids = {"image_id": 7, "label_id": label_id, "instance_id": instance, "bag_id": bag_id}
    own = {"point": {"x": 3.5, "y": 4.25}, "box": {"box": BOX}, "mask": {"rle": b"8", "box": BOX}}
    return {**ids, "kind": kind, "category_id": 1, "status": "given", **own.get(kind, {}), **more}


def prompts(*labels: dict[str, Any], together: bool = False) -> list[dict[str, Any]]:
    prompter = opened_prompter(Settings(together=together))
    table = prompter.prompts(IMAGE, rows_table(WEAK_LABELS, labels))
    validate(table, PROMPTS, "prompts")
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


@pytest.mark.parametrize(
    "labels",
    [
        (),
        (label(1, "mask", 1),),
        (label(1, "tag", -1),),
        (label(1, "point", 1, status="deleted"), label(2, "box", 2, status="deleted")),
    ],
    ids=["none", "mask", "tag", "deleted"],
)
def test_these_labels_ask_for_nothing(labels: tuple[dict[str, Any], ...]) -> None:
    assert prompts(*labels) == []


def test_a_point_asks_with_the_point_and_a_box_with_the_box() -> None:
    point, box = prompts(label(1, "point", 5), label(2, "box", 6))
    assert (point["kind"], point["points"], point["point_signs"]) == ("point", [[3.5, 4.25]], [1])
    assert point["box"] is None
    assert (box["kind"], box["box"], box["points"]) == ("box", BOX, None)
    for row in (point, box):
        assert (row["category_id"], row["value"], row["source_map"]) == (None, None, None)


@pytest.mark.parametrize("status", ["given", "accepted", "corrected"])
def test_a_label_that_was_looked_at_asks_as_before(status: str) -> None:
    seen = prompts(label(1, "point", 5, status=status, category_id=9))
    assert seen == prompts(label(1, "point", 5))


def test_prompts_are_numbered_within_their_bag_by_label_id() -> None:
    labels = (
        label(1, "box", 9),
        label(2, "point", 4),
        label(3, "mask", 9),
        label(4, "point", 9),
        label(5, "point", 9, status="deleted"),
        label(6, "box", 4),
    )
    rows = prompts(*labels)
    seen = [(row["bag_id"], row["prompt_id"], row["kind"]) for row in rows]
    assert seen == [(4, 0, "point"), (4, 1, "box"), (9, 0, "box"), (9, 1, "point")]


@pytest.mark.parametrize("point_first", [False, True])
def test_a_box_and_a_point_of_an_object_may_be_one_prompt(*, point_first: bool) -> None:
    kinds = ("point", "box") if point_first else ("box", "point")
    labels = [label(number, kind, 9) for number, kind in enumerate(kinds)]
    [both] = prompts(*labels, together=True)
    assert (both["kind"], both["box"], both["prompt_id"]) == ("box", BOX, 0)
    assert (both["points"], both["point_signs"]) == ([[3.5, 4.25]], [1])


def test_of_several_the_first_box_and_the_first_point_are_one_prompt() -> None:
    labels = (
        label(1, "point", 4),
        label(2, "box", 4, status="deleted"),
        label(3, "box", 9),
        label(4, "point", 9, x=1.0),
        label(5, "point", 9, x=1.0),
        label(6, "box", 9, box=[0.0, 0.0, 1.0, 1.0]),
    )
    rows = prompts(*labels, together=True)
    seen = [(row["bag_id"], row["prompt_id"], row["kind"], row["points"]) for row in rows]
    assert seen == [
        (4, 0, "point", [[3.5, 4.25]]),
        (9, 0, "box", [[1.0, 4.25]]),
        (9, 1, "point", [[1.0, 4.25]]),
        (9, 2, "box", None),
    ]
    assert [row["box"] for row in rows[1:]] == [BOX, None, [0.0, 0.0, 1.0, 1.0]]
    assert prompts(*labels[:2], together=True) == prompts(*labels[:2])


def test_the_prompter_says_which_kinds_it_serves() -> None:
    assert opened_prompter(Settings()).kinds == {"point", "box"}
