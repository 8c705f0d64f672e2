"""times: what Snakemake's benchmark files say, by stage."""

from pathlib import Path

from stages.reporting.page.times import stage_times


def _measured(path: Path, *rows: tuple[object, object, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        "s\th:m:s\tmax_rss\tcpu_time",
        *(f"{s}\t0:00:00\t{rss}\t{cpu}" for s, rss, cpu in rows),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_shards_are_summed_and_memory_is_the_largest(tmp_path: Path) -> None:
    _measured(tmp_path / "propose" / "shard-0000-of-0002.tsv", (2.5, 100, 2))
    _measured(tmp_path / "propose" / "shard-0001-of-0002.tsv", (1.5, 300, 1))
    _measured(tmp_path / "export.tsv", (0.5, "NA", "NA"))
    rows = {row["name"]: row for row in stage_times([tmp_path, tmp_path, tmp_path / "gone"])}
    assert rows["propose"] == {
        **{"name": "propose", "jobs": 2, "seconds": 4.0},
        **{"cpu": 3.0, "memory": 300.0},
    }
    assert rows["export"]["memory"] == 0.0
