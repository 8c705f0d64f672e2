"""A table that is written piece by piece has the bytes of one that is written whole."""

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.tables import table as tables
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import read_table, rows_table, write_pieces, write_table
from tests.sound_rows import pseudo_label_row


def whole(images: int) -> pa.Table:
    return rows_table(PSEUDO_LABELS, [pseudo_label_row(number) for number in range(images)])


@pytest.mark.parametrize("cuts", [(), (1,), (3, 4), (5, 10, 15, 20), (0, 23, 23)])
def test_where_it_is_cut_changes_no_byte(
    cuts: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "ROWS_PER_GROUP", 4)
    table = whole(23)
    write_table(tmp_path / "whole", table, PSEUDO_LABELS, {"seed": 1})
    ends = [0, *cuts, 23]
    pieces = [table.slice(a, b - a) for a, b in pairwise(ends)]
    write_pieces(tmp_path / "pieces", pieces, 23, PSEUDO_LABELS, {"seed": 1})
    assert (tmp_path / "pieces").read_bytes() == (tmp_path / "whole").read_bytes()
    footer = pq.read_metadata(tmp_path / "pieces")
    groups = [footer.row_group(number).num_rows for number in range(footer.num_row_groups)]
    assert groups == [4, 4, 4, 4, 4, 3]


def test_no_rows_are_a_file_without_rows(tmp_path: Path) -> None:
    write_pieces(tmp_path / "none", [whole(0)], 0, PSEUDO_LABELS, {})
    assert len(read_table(tmp_path / "none", PSEUDO_LABELS)) == 0


def test_a_piece_that_is_not_sound_leaves_nothing(tmp_path: Path) -> None:
    spoilt = whole(2).set_column(0, "image_id", pa.array([1, 0], pa.int64()))
    with pytest.raises(ValueError, match="pieces"):
        write_pieces(tmp_path / "pieces", [whole(1), spoilt], 3, PSEUDO_LABELS, {})
    with pytest.raises(RuntimeError, match="1 rows were written, but 2 were told"):
        write_pieces(tmp_path / "pieces", [whole(1)], 2, PSEUDO_LABELS, {})
    assert list(tmp_path.iterdir()) == []
