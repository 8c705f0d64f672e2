"""What each program costs before it does anything: its imports and its command line.

    python -m benchmarks.bench_startup
    python -m benchmarks.bench_startup --rounds 5 --programs select propose
    python -m benchmarks.bench_startup --recipe workflow/recipes/benchmark.yaml --target ablation

Starts every program of `stages` as its rule does, with `--help`, and prints CPU seconds (user and
system, least of the rounds), peak memory, and which large libraries it has loaded. A program that
asks a network loads torch later, where its method is opened; the last lines tell what that adds.
With `--recipe` the jobs of a dry run are counted, and what their starts take together is printed:
of their programs alone, and where each opens a network besides.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

LARGE = ("torch", "torchvision", "torch._dynamo", "scipy", "matplotlib", "transformers")
PROGRAMS = sorted(
    path.stem for path in Path("stages").glob("*.py") if not path.stem.startswith("_")
)
METHODS = (  # that a program opens behind its door, after its start
    "stages.methods.selectors.trivial",
    "stages.methods.selectors.psm",
    "stages.methods.refiners.prm",
    "stages.segmenters.sam",
    "stages.engines.torchvision",
)
CHILD = """
import importlib, resource, sys
sys.argv[0] = "-m"
import stages
importlib.import_module(sys.argv[1])
used = resource.getrusage(resource.RUSAGE_SELF)
large = [name for name in sys.argv[2:] if name in sys.modules]
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(used.ru_utime + used.ru_stime, int(peak) / 1024, *large)
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--programs", nargs="+", default=PROGRAMS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--recipe", type=Path, help="a config whose jobs are counted")
    parser.add_argument("--target", default="all", help="what that recipe is run for")
    args = parser.parse_args(argv)
    if args.recipe:
        print(_of_jobs(jobs_of(args.recipe, args.target), args.rounds))
        return
    print(f"{'':32} {'CPU s':>6} {'MiB':>6}  loaded")
    for module in [*(f"stages.{name}" for name in args.programs), *METHODS]:
        found = [started(module) for _ in range(args.rounds)]
        seconds, peak, large = min(found)
        print(f"{module:32} {seconds:6.2f} {peak:6.0f}  {' '.join(large)}", flush=True)


def jobs_of(recipe: Path, target: str) -> dict[str, int]:
    """How many jobs of each program a run from nothing has, by Snakemake's own dry run."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "snakemake", "-n", "--cores", "1"]
        command += ["--snakefile", str(Path("Snakefile").resolve()), "--directory", folder]
        command += ["--configfile", str(recipe.resolve()), "--", target]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
    told = found.stdout.partition("Job stats:")[2].partition("total")[0]
    rows = [line.split() for line in told.splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[0] in PROGRAMS}


def _of_jobs(jobs: Mapping[str, int], rounds: int) -> str:
    """What the starts of these jobs take, in CPU seconds."""
    least = {name: min(started(f"stages.{name}")[0] for _ in range(rounds)) for name in jobs}
    torch = min(started("stages.segmenters.sam")[0] for _ in range(rounds))
    own = sum(count * least[name] for name, count in jobs.items())
    most = sum(count * max(least[name], torch) for name, count in jobs.items())
    return (
        f"{sum(jobs.values())} jobs ({', '.join(f'{n} {name}' for name, n in jobs.items())}): "
        f"{own:.0f} CPU s of starts, {most:.0f} if each opened a network"
    )


def started(module: str) -> tuple[float, float, list[str]]:
    """CPU seconds and peak MiB of importing a module, and the large libraries that came along."""
    command = [sys.executable, "-c", CHILD, module, *LARGE]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    seconds, peak, *large = found.stdout.split()
    return float(seconds), float(peak), large


if __name__ == "__main__":
    main()
