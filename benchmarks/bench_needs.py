"""What jobs took of memory, beside what a scheduler is asked for, by stage.

    python -m benchmarks.bench_needs results
    python -m benchmarks.bench_needs /path/to/a/run /path/to/another

Reads what Snakemake measured of each job of runs that are there (`<variant>/benchmarks`), and
prints for each stage how many jobs there were, the largest peak of one, and what a job of that
stage asks for at its first attempt, with the tiny SAM, on a CPU, without images
(`stages.planning.needs`): a job of yours with more of anything asks for more.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from stages.planning.needs import MEASURED, Load, memory
from stages.reporting.page.times import stage_times

ASKING = ("prompt", "fit_propose", "propose", "refine")  # a segmenter, whatever the method


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("folders", type=Path, nargs="+", help="of runs, however deep")
    args = parser.parse_args(argv)
    found = stage_times([path for root in args.folders for path in root.rglob("benchmarks")])
    measured = {row["name"]: row for row in found if row["name"] in MEASURED}
    if not measured:
        raise SystemExit(
            f"{args.folders[0]}: there are no benchmarks of jobs. Give a run's folder."
        )
    print(f"{sum(row['jobs'] for row in measured.values())} jobs")
    print(f"{'':18}{'jobs':>6}{'largest MiB':>13}{'asked MiB':>11}")
    for stage in (name for name in MEASURED if name in measured):
        asked = memory(Load(stage, 0, segmenter="vit_tiny" if stage in ASKING else None), 1)
        row = measured[stage]
        print(f"{stage:18}{row['jobs']:>6}{row['memory']:>13.0f}{asked:>11}")


if __name__ == "__main__":
    main()
