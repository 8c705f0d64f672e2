"""What Snakemake measured of the jobs behind a run: time and memory, by stage."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def stage_times(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """A row for each stage: jobs, their seconds and CPU seconds in sum, peak memory in MiB of one.

    Parameters
    ----------
    folders : `benchmarks` of the homes that a run's files lie in; one that is missing has none.
    """
    found: dict[str, list[dict[str, float]]] = {}
    for folder in dict.fromkeys(folders):
        for path in sorted(folder.rglob("*.tsv")):
            stage = path.relative_to(folder).parts[0].removesuffix(".tsv")
            found.setdefault(stage, []).extend(_measured(path))
    return [
        {
            "name": stage,
            "jobs": len(rows),
            "seconds": sum(row["s"] for row in rows),
            "cpu": _sum(row["cpu_time"] for row in rows),
            "memory": max((row["max_rss"] for row in rows), default=0.0),
        }
        for stage, rows in found.items()
    ]


def _measured(path: Path) -> list[dict[str, float]]:
    """The rows of a file; what Snakemake could not measure is 0."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [{key: _number(row.get(key)) for key in ("s", "cpu_time", "max_rss")} for row in rows]


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:  # NA, of a job that was too short
        return 0.0


def _sum(values: Iterable[float]) -> float:
    return float(sum(values))
