"""Tables round-trip, in equal bytes; what is no table of ours is refused with what to do."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.tables.categories import CATEGORIES
from stages.tables.headers import read_header
from stages.tables.images import IMAGES
from stages.tables.label_scores import LABEL_SCORES
from stages.tables.predictions import PREDICTIONS
from stages.tables.prompts import PROMPTS
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.record import Record
from stages.tables.selections import SELECTIONS
from stages.tables.table import (
    boxes_of,
    empty_table,
    read_table,
    read_tables,
    rows_by_image,
    rows_table,
    table_of,
    write_table,
)
from stages.tables.trail import TRAIL
from stages.tables.weak_labels import WEAK_LABELS
from stages.tables.zoomed import ZOOMED
from tests.sound_rows import (
    Row,
    category_row,
    image_row,
    label_row,
    label_score_row,
    prediction_row,
    prompt_row,
    proposal_row,
    pseudo_label_row,
    selection_row,
    tag_row,
    trail_row,
    write_rows,
    write_unchecked,
    zoomed_row,
)

GIVEN_MASK = {"kind": "mask", "x": None, "y": None, "box": [0.0, 0.0, 2.0, 2.0], "rle": b"04"}
ROWS: dict[str, tuple[Record, list[Row]]] = {
    "images": (IMAGES, [image_row(1, file_name="b/ü.jpg"), image_row(2**51, orientation=6)]),
    "categories": (CATEGORIES, [category_row(1), category_row(90, supercategory="animal")]),
    "weak_labels": (
        WEAK_LABELS,
        [label_row(1, 3), label_row(1, 4, **GIVEN_MASK), tag_row(1, 9, status="accepted")],
    ),
    "prompts": (
        PROMPTS,
        [
            prompt_row(1, -1, kind="grid", points=[[0, 1], [2, 3]], point_signs=[1, 0]),
            prompt_row(1, 3),
            prompt_row(1, 4, kind="box", points=None, point_signs=None, box=[0, 0, 2, 2]),
        ],
    ),
    "proposals": (PROPOSALS, [proposal_row(), proposal_row(proposal_id=1, derived=4, soft=b"x")]),
    "selections": (
        SELECTIONS,
        [selection_row(), selection_row(category_id=2, score_cls=None), selection_row(1, 3, 1)],
    ),
    "pseudo_labels": (
        PSEUDO_LABELS,
        [
            pseudo_label_row(1, -1, proposal_id=None, ignore_rle=b"d04"),
            pseudo_label_row(1, 3, label_ids=[3, 4], extra_rles=[b"g01", b"f02"], box_given=True),
        ],
    ),
    "trail": (TRAIL, [trail_row(), trail_row(step=1, box=None, score=None, proposal_id=None)]),
    "predictions": (PREDICTIONS, [prediction_row(), prediction_row(prediction_id=1, rle=b"h0")]),
    "label_scores": (LABEL_SCORES, [label_score_row(1, -1), label_score_row(1, 4, score=1.0)]),
    "zoomed": (ZOOMED, [zoomed_row(), zoomed_row(question=1, rle=b"h0")]),
}
TABLES = pytest.mark.parametrize(("record", "rows"), ROWS.values(), ids=ROWS.keys())


@TABLES
def test_an_empty_table_round_trips(record: Record, rows: list[Row], tmp_path: Path) -> None:
    path = write_rows(tmp_path / "t", record, [])
    assert read_table(path, record).equals(empty_table(record))


@TABLES
def test_each_record_round_trips(record: Record, rows: list[Row], tmp_path: Path) -> None:
    path = write_rows(tmp_path / "t", record, rows)
    table = read_table(path, record)
    assert table.schema == record.schema
    assert table.to_pylist() == rows
    assert read_header(path) == {"schema": record.name, "version": record.version, "seed": 3}


def test_equal_tables_give_equal_bytes(tmp_path: Path) -> None:
    table = rows_table(*ROWS["proposals"])
    for name in ("first", "second"):
        write_table(tmp_path / name, table, PROPOSALS, {"b": 1, "a": [2]})
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_a_missing_or_surplus_column_is_our_fault() -> None:
    rows = {"category_id": [1], "supercategory": [""], "colour": [1]}
    with pytest.raises(RuntimeError, match=r"categories.*\['colour', 'name'\]"):
        table_of(CATEGORIES, rows)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"this file is missing\. Run snakemake"):
        read_table(tmp_path / "t", IMAGES)


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"half a file")
    with pytest.raises(ValueError, match=r"not a Parquet file .* Remove it and rerun"):
        read_table(tmp_path / "t", IMAGES)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    write_rows(tmp_path / "t", *ROWS["images"])
    data = (tmp_path / "t").read_bytes()
    (tmp_path / "t").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match="not a Parquet file"):
        read_table(tmp_path / "t", IMAGES)


def test_a_strangers_parquet_file_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image_id": [1]}), tmp_path / "t")
    with pytest.raises(ValueError, match="not one that Maskmill wrote"):
        read_table(tmp_path / "t", IMAGES)


def test_another_table_is_refused(tmp_path: Path) -> None:
    write_rows(tmp_path / "t", *ROWS["images"])
    with pytest.raises(ValueError, match="holds table images version 3, but proposals version 2"):
        read_table(tmp_path / "t", PROPOSALS)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"version": 99}, "holds table images version 99, but images version 3 is wanted"),
        ({"schema": "refinements", "version": 1}, "refinements version 1, made by edition 1 of"),
        ({"schema": "selections", "version": 1}, "selections version 1, made by edition 1 of"),
        ({"schema": "pseudo_labels", "version": 1}, "holds table pseudo_labels version 1, but"),
    ],
    ids=["a later one", "edition 1", "edition 1, a name that stayed", "this edition"],
)
def test_another_version_is_refused_and_edition_1_by_its_name(
    tmp_path: Path, header: dict[str, Any], words: str
) -> None:
    path = write_unchecked(tmp_path / "t", IMAGES, rows_table(*ROWS["images"]), **header)
    with pytest.raises(ValueError, match=words):
        read_table(path, IMAGES)


def _many(images: int, each: int) -> pa.Table:
    rows = [trail_row(image, number) for image in range(images) for number in range(each)]
    return rows_table(TRAIL, rows)


@pytest.mark.parametrize(("images", "each"), [(1, 1), (3, 700), (2, 4000), (5000, 1)])
def test_row_groups_end_where_an_image_ends(images: int, each: int, tmp_path: Path) -> None:
    write_table(tmp_path / "t", _many(images, each), TRAIL, {})
    file = pq.ParquetFile(tmp_path / "t")
    groups = [
        set(file.read_row_group(number, columns=["image_id"]).column(0).to_pylist())
        for number in range(file.num_row_groups)
    ]
    assert sum(map(len, groups)) == images
    assert read_table(tmp_path / "t", TRAIL).equals(_many(images, each))


def test_shards_are_read_together_and_sorted(tmp_path: Path) -> None:
    record, rows = ROWS["images"]
    for number in (1, 0):
        write_rows(tmp_path / str(number), record, rows[number : number + 1])
    assert read_tables([tmp_path / "1", tmp_path / "0"], record).to_pylist() == rows
    assert len(read_tables([], record)) == 0


def test_two_shards_with_one_key_are_refused(tmp_path: Path) -> None:
    record, rows = ROWS["images"]
    paths = [write_rows(tmp_path / str(number), record, rows) for number in (0, 1)]
    with pytest.raises(ValueError, match="image_id 1 is there twice"):
        read_tables(paths, record)


@TABLES
def test_some_columns_are_read_in_the_order_asked_for(
    record: Record, rows: list[Row], tmp_path: Path
) -> None:
    path, names = write_rows(tmp_path / "t", record, rows), record.schema.names[::-2]
    assert read_table(path, record, columns=names).to_pylist() == [
        {name: row[name] for name in names} for row in rows
    ]


def test_rows_by_image_loses_nothing() -> None:
    assert rows_by_image(empty_table(TRAIL)) == {}
    table = _many(7, 3)
    parts = rows_by_image(table)
    assert list(parts) == list(range(7))
    assert pa.concat_tables(parts.values()).equals(table)


def test_boxes_come_back_as_they_went_in() -> None:
    boxes = np.array([[0, 0, 1, 2], [3, 4, 5, 6]], dtype=np.float64)
    rows = rows_table(PROPOSALS, [proposal_row(), proposal_row(proposal_id=1)])
    table = table_of(PROPOSALS, {**rows.to_pydict(), "box": boxes})
    assert boxes_of(table).dtype == np.float32
    np.testing.assert_array_equal(boxes_of(table), boxes)
    np.testing.assert_array_equal(boxes_of(table.slice(1)), boxes[1:])
