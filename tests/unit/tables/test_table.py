import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES, images_of_shard
from stages.tables.proposals import PROPOSALS
from stages.tables.refinements import REFINEMENTS
from stages.tables.selections import SELECTIONS
from stages.tables.table import (
    KEY,
    Record,
    boxes_of,
    empty_table,
    read_header,
    read_table,
    read_tables,
    rows_by_image,
    table_of,
    write_table,
)
from stages.tables.weak_labels import WEAK_LABELS

RECORDS = {
    record.name: record
    for record in (IMAGES, CATEGORIES, WEAK_LABELS, PROPOSALS, SELECTIONS, REFINEMENTS)
}
ROWS: dict[str, dict[str, list[Any]]] = {
    "images": {
        "image_id": [1, 2**40],
        "file_name": ["a.jpg", "b/ü.jpg"],
        "height": [4, 5],
        "width": [6, 7],
        "shard": [0, 1],
    },
    "categories": {"category_id": [1, 90], "name": ["cat", "dog"], "supercategory": ["", "animal"]},
    "weak_labels": {
        "image_id": [1, 1],
        "instance_id": [3, 4],
        "category_id": [1, 90],
        "kind": ["point", "box"],
        "x": [0.5, None],
        "y": [3.5, None],
        "box": [None, [0.0, 0.0, 2.0, 2.0]],
    },
    "proposals": {
        "image_id": [1, 1],
        "instance_id": [3, 3],
        "proposal_id": [0, 1],
        "prompt_kind": ["point", "boxes"],
        "prompt_index": [0, 0],
        "mask_index": [0, 1],
        "box": [[0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 2.0, 3.0]],
        "area": [4, 0],
        "rle": [b"04", b"x"],
        "height": [4, 4],
        "width": [6, 6],
        "sam_score": [0.9, 0.1],
        "stability": [1.0, 0.5],
        "valid": [True, False],
    },
    "selections": {
        "image_id": [1, 1],
        "instance_id": [3, 3],
        "proposal_id": [0, 1],
        "score_cls": [0.5, 0.5],
        "score_ins": [0.25, 0.75],
        "score_dis": [1.0, 1.0],
        "score": [0.125, 0.375],
        "selected": [False, True],
        "bag_score": [0.5, 0.5],
    },
    "refinements": {
        "image_id": [1, 2],
        "instance_id": [3, 4],
        "box_psm": [[0.0, 0.0, 2.0, 2.0]] * 2,
        "box_select": [[0.0, 0.0, 2.0, 2.0]] * 2,
        "box_prm": [[0.0, 0.0, 2.0, 2.0]] * 2,
        "bms_rule": ["none", "overlap"],
        "mask_source": ["proposal", "vote"],
        "proposal_id": [0, 1],
        "proposal_id_select": [0, 0],
        "rle": [b"04", b"05"],
        "height": [4, 4],
        "width": [6, 6],
        "score": [0.1, 0.2],
        "bag_score": [0.5, 0.5],
        "extra_rles": [[], [b"01", b"02"]],
    },
}


def _rows(record: Record) -> dict[str, list[Any]]:
    return {name: list(values) for name, values in ROWS[record.name].items()}


@pytest.mark.parametrize("name", RECORDS)
def test_an_empty_table_round_trips(name: str, tmp_path: Path) -> None:
    write_table(tmp_path / "t", empty_table(RECORDS[name]), RECORDS[name], {})
    assert len(read_table(tmp_path / "t", RECORDS[name])) == 0


@pytest.mark.parametrize("name", RECORDS)
def test_each_record_round_trips(name: str, tmp_path: Path) -> None:
    record = RECORDS[name]
    write_table(tmp_path / "t", table_of(record, _rows(record)), record, {"seed": 3})
    table = read_table(tmp_path / "t", record)
    assert table.schema == record.schema
    for column, values in _rows(record).items():
        seen = table.column(column).to_pylist()
        if any(isinstance(value, float) for value in values):
            assert seen == pytest.approx(values)
        else:
            assert seen == values
    assert read_header(tmp_path / "t") == {"schema": name, "version": record.version, "seed": 3}


def test_equal_tables_give_equal_bytes(tmp_path: Path) -> None:
    table = table_of(PROPOSALS, _rows(PROPOSALS))
    for name in ("first", "second"):
        write_table(tmp_path / name, table, PROPOSALS, {"b": 1, "a": [2]})
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


CORRUPT = [
    (IMAGES, "height", [0, 5], "column height: 0 is outside 1 to inf"),
    (IMAGES, "image_id", [2, 1], "not sorted by"),
    (IMAGES, "image_id", [1, 1], "a key is there twice"),
    (IMAGES, "file_name", ["a.jpg", None], "column file_name has 1 empty values"),
    (WEAK_LABELS, "x", [-0.5, None], "column x: -0.5 is outside"),
    (WEAK_LABELS, "instance_id", [4, 3], "not sorted by"),
    (PROPOSALS, "box", [[0.0, 0.0, 0.0, 2.0]] * 2, "in row 0 has no area"),
    (PROPOSALS, "box", [[0.0, 0.0, 1.0, 2.0], [0.0, 0.0, float("nan"), 1.0]], "row 1 has no area"),
    (PROPOSALS, "area", [4, -1], "column area: -1 is outside"),
    (PROPOSALS, "stability", [1.0, 1.5], "column stability: 1.5 is outside 0 to 1"),
    (SELECTIONS, "score_cls", [0.5, float("nan")], "column score_cls: nan is outside"),
    (SELECTIONS, "proposal_id", [1, 1], "a key is there twice"),
    (REFINEMENTS, "bag_score", [0.5, 2.0], "column bag_score: 2.0 is outside"),
]


@pytest.mark.parametrize(("record", "column", "values", "sentence"), CORRUPT)
def test_a_corrupt_table_is_refused_before_it_is_written(
    record: Record, column: str, values: list[Any], sentence: str, tmp_path: Path
) -> None:
    rows = {**_rows(record), column: values}
    with pytest.raises(ValueError, match=sentence):
        write_table(tmp_path / "t", table_of(record, rows), record, {})
    assert list(tmp_path.iterdir()) == []


def test_a_missing_or_surplus_column_is_our_fault() -> None:
    rows = _rows(CATEGORIES)
    del rows["name"]
    with pytest.raises(RuntimeError, match=r"categories.*\['colour', 'name'\]"):
        table_of(CATEGORIES, {**rows, "colour": [1, 2]})


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"this file is missing\. Run snakemake"):
        read_table(tmp_path / "t", IMAGES)


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"half a file")
    with pytest.raises(ValueError, match=r"not a Parquet file .* Remove it and rerun"):
        read_table(tmp_path / "t", IMAGES)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    write_table(tmp_path / "t", table_of(IMAGES, _rows(IMAGES)), IMAGES, {})
    data = (tmp_path / "t").read_bytes()
    (tmp_path / "t").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match="not a Parquet file"):
        read_table(tmp_path / "t", IMAGES)


def test_a_strangers_parquet_file_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image_id": [1]}), tmp_path / "t")
    with pytest.raises(ValueError, match="not one that Maskmill wrote"):
        read_table(tmp_path / "t", IMAGES)


def test_another_table_is_refused(tmp_path: Path) -> None:
    write_table(tmp_path / "t", table_of(IMAGES, _rows(IMAGES)), IMAGES, {})
    with pytest.raises(ValueError, match="holds table images version 1, but proposals version 1"):
        read_table(tmp_path / "t", PROPOSALS)


def test_another_version_is_refused(tmp_path: Path) -> None:
    header = json.dumps({"schema": "images", "version": 99})
    table = table_of(IMAGES, _rows(IMAGES)).replace_schema_metadata({KEY: header})
    pq.write_table(table, tmp_path / "t")
    with pytest.raises(ValueError, match="images version 99, but images version 1 is wanted"):
        read_table(tmp_path / "t", IMAGES)


def _many(images: int, each: int) -> pa.Table:
    ids = np.repeat(np.arange(images), each)
    rows = {
        "image_id": ids,
        "instance_id": np.tile(np.arange(each), images),
        "proposal_id": np.zeros(images * each),
        **{name: np.full(images * each, 0.5) for name in ("score_cls", "score_ins", "score_dis")},
        "score": np.full(images * each, 0.5),
        "selected": np.ones(images * each, dtype=bool),
        "bag_score": np.full(images * each, 0.5),
    }
    return table_of(SELECTIONS, rows)


@pytest.mark.parametrize(("images", "each"), [(1, 1), (3, 700), (2, 4000), (5000, 1)])
def test_row_groups_end_where_an_image_ends(images: int, each: int, tmp_path: Path) -> None:
    write_table(tmp_path / "t", _many(images, each), SELECTIONS, {})
    file = pq.ParquetFile(tmp_path / "t")
    groups = [
        set(file.read_row_group(number, columns=["image_id"]).column(0).to_pylist())
        for number in range(file.num_row_groups)
    ]
    assert sum(map(len, groups)) == images
    assert read_table(tmp_path / "t", SELECTIONS).equals(_many(images, each))


def test_one_image_is_read_alone(tmp_path: Path) -> None:
    write_table(tmp_path / "t", _many(40, 100), SELECTIONS, {})
    table = read_table(tmp_path / "t", SELECTIONS, image_id=17, columns=["image_id", "score"])
    assert table.column_names == ["image_id", "score"]
    assert table.column("image_id").to_pylist() == [17] * 100


def test_shards_are_read_together_and_sorted(tmp_path: Path) -> None:
    rows = _rows(IMAGES)
    for number in (1, 0):
        part = {name: values[number : number + 1] for name, values in rows.items()}
        write_table(tmp_path / str(number), table_of(IMAGES, part), IMAGES, {})
    table = read_tables([tmp_path / "1", tmp_path / "0"], IMAGES)
    assert table.equals(table_of(IMAGES, rows))
    assert len(read_tables([], IMAGES)) == 0


def test_rows_by_image_loses_nothing() -> None:
    assert rows_by_image(empty_table(SELECTIONS)) == {}
    table = _many(7, 3)
    parts = rows_by_image(table)
    assert list(parts) == list(range(7))
    assert pa.concat_tables(parts.values()).equals(table)


def test_images_of_shard_are_those_of_that_number() -> None:
    table = table_of(IMAGES, _rows(IMAGES))
    assert images_of_shard(table, 1).column("image_id").to_pylist() == [2**40]
    assert len(images_of_shard(table, 5)) == 0


def test_boxes_come_back_as_they_went_in() -> None:
    boxes = np.array([[0, 0, 1, 2], [3, 4, 5, 6]], dtype=np.float64)
    rows = {**_rows(PROPOSALS), "box": boxes}
    table = table_of(PROPOSALS, rows)
    assert boxes_of(table).dtype == np.float32
    np.testing.assert_array_equal(boxes_of(table), boxes)
    np.testing.assert_array_equal(boxes_of(table.slice(1)), boxes[1:])
