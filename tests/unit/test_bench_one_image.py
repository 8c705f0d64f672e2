"""The benchmark of one image: the shard that it makes, and what it tells."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.bench_one_image import line, made, main, of_all
from stages.tables.one_image import rows_of_image
from stages.tables.proposals import PROPOSALS


@pytest.mark.parametrize(("rows", "images"), [(1, 1), (60, 1), (61, 2), (4000, 67)])
def test_a_shard_has_as_many_rows_as_asked_for(tmp_path: Path, rows: int, images: int) -> None:
    assert made(tmp_path / "t.parquet", rows) == images
    last = rows_of_image(tmp_path / "t.parquet", PROPOSALS, images - 1)
    assert last.equals(of_all(tmp_path / "t.parquet", images - 1))
    assert len(last) == rows - 60 * (images - 1)


def test_it_tells_how_much_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--rows", "6000", "--looks", "4"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("6000 rows, ")
    assert lines[0].endswith("4 row groups, 1.00 of them read per image")
    assert [text.split(":")[0] for text in lines[1:]] == [
        "one image, by its row group",
        "one image, by reading all",
    ]


def test_times_are_medians_and_the_largest() -> None:
    times = np.array([[1.0, 0.5], [3.0, 1.0], [9.0, 2.0]])
    assert line(times) == "median 3.0 ms (1.0 ms of CPU), slowest 9.0 ms (2.0) of 3"
