"""Every table, written and read with every fault that it can have: refused by both.

A reader meets a fault that no writer of ours let through, so its file is written by pyarrow alone.
"""

import math
import re
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stages.tables import record as records
from stages.tables.boxed import BOXED
from stages.tables.categories import CATEGORIES
from stages.tables.checks import MASKS
from stages.tables.grades import GRADES
from stages.tables.images import IMAGES
from stages.tables.judged_objects import JUDGED_OBJECTS
from stages.tables.label_scores import LABEL_SCORES
from stages.tables.predictions import PREDICTIONS
from stages.tables.prompts import PROMPTS
from stages.tables.proposals import PROPOSALS
from stages.tables.prototype_sums import PROTOTYPE_SUMS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.record import BOX, Record
from stages.tables.selections import SELECTIONS
from stages.tables.streams import images_of_file
from stages.tables.table import read_table, write_table
from stages.tables.trail import TRAIL
from stages.tables.weak_labels import WEAK_LABELS
from stages.tables.zoomed import ZOOMED
from tests.sound_rows import (
    MASK,
    Row,
    boxed_row,
    category_row,
    grade_row,
    image_row,
    judged_object_row,
    label_row,
    label_score_row,
    prediction_row,
    prompt_row,
    proposal_row,
    prototype_row,
    pseudo_label_row,
    selection_row,
    trail_row,
    write_unchecked,
    zoomed_row,
)

SOUND: list[tuple[Record, list[Row]]] = [
    (IMAGES, [image_row(1), image_row(2)]),
    (CATEGORIES, [category_row(1), category_row(2)]),
    (WEAK_LABELS, [label_row(1), label_row(2, box=[0, 0, 1, 1])]),
    (PROMPTS, [prompt_row(1), prompt_row(2, box=[0, 0, 1, 1], value=0.5)]),
    (PROPOSALS, [proposal_row(1, derived=0), proposal_row(2)]),
    (SELECTIONS, [selection_row(1), selection_row(2, box=[0, 0, 1, 1])]),
    (PSEUDO_LABELS, [pseudo_label_row(1), pseudo_label_row(2)]),
    (TRAIL, [trail_row(1), trail_row(2)]),
    (JUDGED_OBJECTS, [judged_object_row(1), judged_object_row(2)]),
    (GRADES, [grade_row(1), grade_row(2, border=1.0)]),
    (PREDICTIONS, [prediction_row(1), prediction_row(2)]),
    (LABEL_SCORES, [label_score_row(1), label_score_row(2)]),
    (ZOOMED, [zoomed_row(1), zoomed_row(2)]),
    (BOXED, [boxed_row(1), boxed_row(2)]),
    (PROTOTYPE_SUMS, [prototype_row(1), prototype_row(2)]),
]
NO_NUMBERS = {"NaN": math.nan, "infinite": math.inf, "minus infinite": -math.inf}
NO_BOXES = {
    "no width": [2.0, 1.0, 2.0, 3.0],
    "turned": [3.0, 1.0, 2.0, 3.0],
    "NaN": [0.0, 1.0, math.nan, 3.0],
    "infinite": [0.0, 1.0, math.inf, 3.0],
}
NO_CODE = "no code"
NO_MASKS = {NO_CODE: b"PPPPPPPPPPPP0", "cut": MASK[:-1], "of another size": MASK + b"1"}
CLOSE = {  # types that could be turned into the right one
    pa.int64(): pa.float64(),
    pa.int32(): pa.int64(),
    pa.float32(): pa.float64(),
    pa.string(): pa.large_string(),
}
REMEDY = r"(Remove the file and run snakemake again|Remove it and rerun)\."
Fault = tuple[str, pa.Table, str]


def loose(record: Record, rows: list[Row]) -> pa.Table:
    """A table of any rows: nulls are allowed everywhere."""
    fields = [field.with_nullable(True) for field in record.columns]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def changed(record: Record, rows: list[Row], column: str, value: Any) -> pa.Table:
    """The table with another value in a column of its last row."""
    return loose(record, [*rows[:-1], {**rows[-1], column: value}])


def faults(record: Record, rows: list[Row]) -> Iterator[Fault]:
    """Name of each fault, the table that has it, and words of the sentence."""
    yield "wrong order", loose(record, rows[::-1]), "is not in its place"
    yield "doubled key", loose(record, [*rows, rows[-1]]), "is there twice"
    for field in record.columns:
        yield from column_faults(record, rows, field)
    for name, words in record.words.items():
        yield f"{name}: a word", changed(record, rows, name, "odd"), f"'odd' is none of {words[0]}"
    for name, low, high in record.ranges:
        yield from range_faults(record, rows, name, low, high)


def column_faults(record: Record, rows: list[Row], field: pa.Field) -> Iterator[Fault]:
    table, name = loose(record, rows), field.name
    yield f"{name}: missing", table.drop_columns([name]), "column"
    word = 1 if field.type == pa.list_(pa.string()) else "a"
    other = pa.array([[word]] * len(rows))
    place = table.column_names.index(name)
    yield f"{name}: other type", table.set_column(place, name, other), f"column.* {name}|columns"
    if field.type in CLOSE:
        close = table.column(name).cast(CLOSE[field.type])
        yield f"{name}: close type", table.set_column(place, name, close), f"{name} is of type"
    if not field.nullable:
        empty = changed(record, rows, name, None)
        yield f"{name}: null", empty, f"column {name} has 1 empty values"
    if name in MASKS:
        for fault, code in NO_MASKS.items():
            value = [code] if pa.types.is_list(field.type) else code
            if fault == NO_CODE or "height" in record.schema.names:
                yield f"{name}: {fault}", changed(record, rows, name, value), "the mask in row"
    if field.type == BOX:
        for fault, box in NO_BOXES.items():
            yield f"{name}: {fault}", changed(record, rows, name, box), "has no area"


def range_faults(
    record: Record, rows: list[Row], name: str, low: float, high: float
) -> Iterator[Fault]:
    kind, wrap = record.field(name).type, _plain
    while pa.types.is_nested(kind):
        kind, wrap = kind.value_type, _wrapped(kind, wrap)
    numbers: dict[str, float] = {}
    if pa.types.is_floating(kind):
        numbers |= NO_NUMBERS
    if low > -1e6:
        numbers["too low"] = math.floor(low) - 1
    if high < 1e6:
        numbers["too high"] = math.floor(high) + 1
    for fault, number in numbers.items():
        yield f"{name}: {fault}", changed(record, rows, name, wrap(number)), "is outside"


def _plain(number: float) -> Any:
    return number


def _wrapped(kind: pa.DataType, wrap: Any) -> Any:
    length = kind.list_size if pa.types.is_fixed_size_list(kind) else 1
    return lambda number: wrap([number] * length)


def refusal(call: Callable[[], Any], words: str) -> str:
    """Nothing where a call is refused in these words, else what became of it."""
    try:
        call()
    except ValueError as error:
        return "" if re.search(words, str(error)) else f"refused as {error}"
    return "passed"


def told(outcomes: dict[str, str]) -> list[str]:
    """A line for each fault that was not refused as it should be."""
    return [f"{name}: {outcome}" for name, outcome in outcomes.items() if outcome]


TABLES = pytest.mark.parametrize(
    ("record", "rows"), SOUND, ids=[record.name for record, _ in SOUND]
)


@TABLES
def test_the_rows_that_are_spoilt_are_sound_before(
    tmp_path: Path, record: Record, rows: list[Row]
) -> None:
    path = write_unchecked(tmp_path / "t", record, loose(record, rows))
    assert len(read_table(path, record)) == len(rows)
    assert len(list(faults(record, rows))) > 2 + 2 * len(record.columns)


@TABLES
def test_no_fault_is_written(tmp_path: Path, record: Record, rows: list[Row]) -> None:
    def write(table: pa.Table) -> None:
        write_table(tmp_path / "t", table, record, {})

    outcomes = {
        name: refusal(partial(write, table), f"{tmp_path / 't'}: .*{REMEDY}")
        for name, table, _ in faults(record, rows)
    }
    assert told(outcomes) == []
    assert list(tmp_path.iterdir()) == []


@TABLES
def test_no_fault_is_read(tmp_path: Path, record: Record, rows: list[Row]) -> None:
    outcomes = {}
    for name, table, words in faults(record, rows):
        path = write_unchecked(tmp_path / "t", record, table)
        sentence = f"{path}: .*{words}.*{REMEDY}"
        outcomes[name] = refusal(partial(read_table, path, record), sentence)
        if "image_id" in record.key:
            stream = partial(deque, images_of_file(path, record), 0)
            outcomes[f"{name}, in a stream"] = refusal(stream, sentence)
    assert told(outcomes) == []


def test_every_kind_of_fault_is_among_them() -> None:
    names = [name for record, rows in SOUND for name, *_ in faults(record, rows)]
    assert {name.split(": ")[-1] for name in names} == {
        *("wrong order", "doubled key", "missing", "other type", "close type", "null", "a word"),
        *("too low", "too high", *NO_NUMBERS, *NO_BOXES, *NO_MASKS),
    }


def test_no_table_is_forgotten() -> None:
    tested = {record.name for record, _ in SOUND}
    folder = Path(records.__file__).parent
    declared = {
        found[1]
        for path in folder.glob("*.py")
        if (found := re.search(r'^[A-Z_]+ = Record\(\s*"(\w+)"', path.read_text(), re.MULTILINE))
    }
    assert declared == tested
