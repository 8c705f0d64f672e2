"""The arithmetic of benchmarks.bench_scaling, on numbers that can be followed by hand."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from benchmarks.bench_scaling import Cost, costs_of, disk_of, looks, main, totals

COSTS = [
    Cost("prepare", 0.036, 1000.0, 100.0),
    Cost("fit_select", 0.36, 0.0, 800.0),
    Cost("propose", 3.6, 2000.0, 800.0),
    Cost("answers", 0.0, 7000.0, 0.0),
]
PRICES = (0.1, 20.0)  # of a core's hour, of a terabyte's month


@pytest.mark.parametrize(
    ("images", "runs", "shards", "jobs", "hours", "longest"),
    [
        (1, "1", "1", "3", "0", "1.0"),  # a whole shard of propose, as all are taken for full
        (10**5, "1", "100", "102", "111", "10.0"),  # fit_select: 36,000 s
        (10**6, "1", "1,000", "1,002", "1,110", "100.0"),
        (10**7, "10", "10,000", "10,020", "11,100", "100.0"),  # runs have trainings of their own
    ],
)
def test_totals(images: int, runs: str, shards: str, jobs: str, hours: str, longest: str) -> None:
    row = totals(COSTS, images, PRICES)
    assert row[:6] == (f"{images:,}", runs, shards, jobs, hours, longest)


def test_disk_and_prices_grow_with_the_images() -> None:
    assert totals(COSTS, 10**8, PRICES)[6:] == ("1.0 TB", "11,100", "20")


def test_looks_of_a_gpu_by_published_numbers() -> None:
    assert looks(10_008_000, 2.0) == ("10,008,000", "1,000", "187", "2,000", "373")


def _benchmark(path: Path, cpu: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\th:m:s\tmax_rss\tcpu_time\n9\t0:00:09\t500\t{cpu}\n")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Ten images, two shards of propose, and what segmenters have answered."""
    for number in (0, 1):
        _benchmark(tmp_path / "benchmarks" / "propose" / f"shard-{number}.tsv", 5.0)
        file = tmp_path / "propose" / f"shard-{number}.parquet"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"x" * 100)
    _benchmark(tmp_path / "v" / "benchmarks" / "fit_select.tsv", 20.0)
    (tmp_path / "v" / "fit_select").mkdir()
    (tmp_path / "v" / "fit_select" / "model.pt").write_bytes(b"x" * 999)
    (tmp_path / "answers" / "ab").mkdir(parents=True)
    (tmp_path / "answers" / "ab" / "one").write_bytes(b"x" * 50)
    (tmp_path / "prepare").mkdir()
    parquet.write_table(pa.table({"image_id": range(10)}), tmp_path / "prepare" / "images.parquet")
    return tmp_path


def test_what_an_image_takes_is_read_of_a_run(run: Path) -> None:
    found = {cost.stage: cost for cost in costs_of(run, 10)}
    assert found["propose"] == Cost("propose", 1.0, 20.0, 500.0)
    assert found["fit_select"] == Cost("fit_select", 2.0, 0.0, 500.0)  # its model stays
    assert found["answers"] == Cost("answers", 0.0, 5.0, 0.0)
    assert disk_of(run, "nothing") == 0


def test_the_tables_are_printed(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(run), "--images", "1000"])
    text = capsys.readouterr().out
    assert f"of 10 images of {run}, an image:" in text
    assert "propose" in text
    assert "published numbers" in text
