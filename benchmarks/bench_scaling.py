"""What a hundred thousand images and more would take, by what a finished run has measured.

    python -m benchmarks.bench_scaling results/coco_tiny
    python -m benchmarks.bench_scaling results/coco_tiny --core-hour 0.05 --gpu-hour 2.5

Reads Snakemake's benchmarks and the sizes of the files below the run, and prints what an image
takes in each stage; then core-hours, disk and cost for as many images as asked, as if all grew
evenly. Of SAM's vit_h on a GPU it tells what stages/estimating/devices.py has: published numbers.
Prices are the reader's own: nothing here knows a cloud's.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyarrow import parquet

from stages.estimating.devices import IMAGES
from stages.estimating.wording import size
from stages.reporting.columns import aligned
from stages.reporting.page.times import stage_times

SHARDED = ("prompt", "propose", "select", "refine", "grade")
FITS = ("fit_prompt", "fit_propose", "fit_select", "fit_refine")
WHOLE = ("prepare", "export", "evaluate", "report")
GROWING = ("prepare", *SHARDED, "export", "evaluate")  # whose files grow with the images
A_SHARD, MOST_SHARDS = 1000, 1000  # images; of a run, by its config
COUNTS = (10**5, 10**6, 10**9)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a stage, an image: CPU seconds, bytes on disk. memory : MiB of the largest job."""

    stage: str
    seconds: float
    disk: float
    memory: float


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("run", type=Path, help="folder of a finished run, such as results/demo")
    parser.add_argument("--images", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--core-hour", type=float, default=0.05, help="price of a CPU core's hour")
    parser.add_argument("--gpu-hour", type=float, default=2.5, help="price of a GPU's hour")
    parser.add_argument("--terabyte-month", type=float, default=25.0, help="price of storage")
    args = parser.parse_args(argv)
    counted = parquet.read_metadata(args.run / "prepare" / "images.parquet").num_rows
    costs = costs_of(args.run, counted)
    print(f"of {counted} images of {args.run}, an image:")
    print(each_text(costs))
    print(f"\nwith the segmenter of that run, {A_SHARD:,} images a shard:")
    prices = (args.core_hour, args.terabyte_month)
    print(aligned([HEAD, *(totals(costs, images, prices) for images in args.images)]))
    print("\nlooks of SAM vit_h alone on an A100, one an image in propose (published numbers):")
    print(aligned([GPU_HEAD, *(looks(images, args.gpu_hour) for images in args.images)]))


def costs_of(run: Path, images: int) -> list[Cost]:
    """What an image takes in each stage of the plain run."""
    folders = [path for path in sorted(run.rglob("benchmarks")) if path.is_dir()]
    rows = {row["name"]: row for row in stage_times(folders)}
    sizes = {name: disk_of(run, name) / images for name in (*GROWING, "answers", "embeddings")}
    found = [
        Cost(name, rows[name]["cpu"] / images, sizes.get(name, 0.0), rows[name]["memory"])
        for name in (*WHOLE[:1], *FITS, *SHARDED, *WHOLE[1:])
        if name in rows
    ]
    kept = [Cost(name, 0.0, sizes[name], 0.0) for name in ("answers", "embeddings")]
    return [*found, *(cost for cost in kept if cost.disk)]


def disk_of(run: Path, stage: str) -> int:
    """Bytes of the files of a stage, in whichever home below the run."""
    found = (path for path in (run / stage, *run.glob(f"*/{stage}")) if path.is_dir())
    folders = [path for path in found if path.parent.name not in ("benchmarks", "logs")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files)


def each_text(costs: Sequence[Cost]) -> str:
    """The table of single stages."""
    rows = [
        (cost.stage, f"{cost.seconds:.3f}", f"{cost.disk / 1e3:.1f}", f"{cost.memory:,.0f}")
        for cost in costs
    ]
    return aligned([("stage", "CPU s", "kB", "MiB of a job"), *rows])


HEAD = (
    *("images", "runs", "shards", "jobs", "core-hours", "longest job, h"),
    *("disk", "cores' price", "disk's price a month"),
)


def totals(costs: Sequence[Cost], images: int, prices: tuple[float, float]) -> tuple[str, ...]:
    """A row: `images` in runs of at most `MOST_SHARDS` shards, each run with trainings of its own.

    Parameters
    ----------
    prices : of a core's hour, and of a terabyte's month.
    """
    shards = -(-images // A_SHARD)
    runs = -(-shards // MOST_SHARDS)
    sharded = [cost for cost in costs if cost.stage in SHARDED]
    alone = [cost for cost in costs if cost.stage in (*FITS, *WHOLE)]
    hours = sum(cost.seconds for cost in costs) * images / 3600
    longest = max(
        max((cost.seconds * images / runs for cost in alone), default=0.0),
        max((cost.seconds * A_SHARD for cost in sharded), default=0.0),
    )
    disk = sum(cost.disk for cost in costs) * images
    return (
        *(f"{images:,}", f"{runs:,}", f"{shards:,}"),
        f"{shards * len(sharded) + runs * len(alone):,}",
        *(f"{hours:,.0f}", f"{longest / 3600:,.1f}", size(disk)),
        *(f"{hours * prices[0]:,.0f}", f"{disk / 1e12 * prices[1]:,.0f}"),
    )


GPU_HEAD = ("images", "GPU-hours, float32", "bfloat16", "price, float32", "bfloat16")


def looks(images: int, price: float) -> tuple[str, ...]:
    """A row of the second table."""
    hours = [images / IMAGES[precision] / 3600 for precision in ("float32", "bfloat16")]
    return (
        f"{images:,}",
        *(f"{each:,.0f}" for each in hours),
        *(f"{each * price:,.0f}" for each in hours),
    )


if __name__ == "__main__":
    main()
