"""Whether a job's time for an image and its memory stay, however many images its shard has.

    python -m benchmarks.bench_scale
    python -m benchmarks.bench_scale --images 200 1000 --segmenter sam

Draws small photographs with four boxes each, and runs prepare, propose, select, refine, grade and
export on all of them as one shard, each program in a process of its own, as its rule does. The
segmenter answers boxes without a network (`filled`), so that what is ours is what is measured; with
`sam` the tiny SAM answers their middles. Prints, for each stage, CPU milliseconds an image (those
of a run of one image are taken off: start-up) and peak memory, and how both grow. Linux alone:
`ru_maxrss` would hold the memory of the process that starts it too.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH, OBJECTS = 96, 128, 4  # px, px, of each photograph
SEED = 0
SHARD = "0000-of-0001"
CHILD = """
import os, resource, runpy, sys
sys.argv = ["-m", *sys.argv[2:]]
import stages
sys.argv[0] = "stages." + os.environ["STAGE"]
runpy.run_module(sys.argv[0], run_name="__main__")
used = resource.getrusage(resource.RUSAGE_SELF)
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print("MEASURED", used.ru_utime + used.ru_stime, peak)
"""
SETTINGS = {
    "filled": {"prepare": {"labels": "given"}, "propose": {"segmenter": "filled"}},
    "sam": {"prepare": {"labels": "point"}, "propose": {}},
}
STAGES = ("prepare", "propose", "select", "refine", "grade", "export")
Measured = tuple[float, float]  # CPU seconds, peak MiB


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--images", type=int, nargs=2, default=[200, 5_000])
    parser.add_argument("--segmenter", choices=sorted(SETTINGS), default="filled")
    args = parser.parse_args(argv)
    few, many = args.images
    with tempfile.TemporaryDirectory() as name:
        runs = {n: run_all(Path(name) / str(n), n, args.segmenter) for n in (1, few, many)}
    print(f"{'':10} {'ms an image':>24} {'':>8} {'peak MiB':>24}")
    print(f"{'':10} {few:>12,} {many:>11,} {'growth':>8} {few:>12,} {many:>11,} {'growth':>8}")
    for stage in STAGES:
        starts = runs[1][stage][0]
        each = [(runs[n][stage][0] - starts) / (n - 1) * 1e3 for n in (few, many)]
        peak = [runs[n][stage][1] for n in (few, many)]
        times = f"{each[0]:>12.2f} {each[1]:>11.2f} {each[1] / each[0]:>7.2f}x"
        print(f"{stage:10} {times} {peak[0]:>12.0f} {peak[1]:>11.0f} {peak[1] / peak[0]:>7.2f}x")


def run_all(folder: Path, images: int, segmenter: str) -> dict[str, Measured]:
    """Each stage's CPU seconds and peak memory for one shard of `images` photographs."""
    settings = {name: json.dumps(block) for name, block in SETTINGS[segmenter].items()}
    return {stage: measured(folder, stage, words) for stage, words in commands(
        folder, drawn(folder, images), settings
    ).items()}  # fmt: skip


def drawn(folder: Path, images: int) -> Path:
    """Photographs, and a CSV of their boxes; returns the CSV."""
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(SEED)
    path = folder / "labels.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["file_name", "label", "x_min", "y_min", "x_max", "y_max"])
        for number in range(images):
            pixels = np.full((HEIGHT, WIDTH, 3), (number % 256, 90, 120), dtype=np.uint8)
            for corner in rng.integers(0, [WIDTH - 40, HEIGHT - 40], (OBJECTS, 2)):
                left, top = corner.tolist()
                right, bottom = (corner + rng.integers(12, 40, 2)).tolist()
                pixels[top:bottom, left:right] = rng.integers(0, 256, 3)
                rows.writerow([f"{number:06d}.png", "thing", left, top, right, bottom])
            Image.fromarray(pixels).save(folder / "images" / f"{number:06d}.png")
    return path


def commands(folder: Path, labels: Path, settings: Mapping[str, str]) -> dict[str, list[str]]:
    """The command line of each stage, but for the interpreter."""
    files = {name: str(folder / f"{name}.parquet") for name in (
        "images", "weak-labels", "categories", "proposals", "selections", "pseudo-labels", "grades"
    )}  # fmt: skip

    def flags(*names: str) -> list[str]:
        return [word for name in names for word in (f"--{name}", files[name])]

    pictures, shard = ["--image-folder", str(folder / "images")], ["--shard", SHARD]
    shared = [*pictures, *flags("images", "weak-labels"), *shard]
    answers = ["--answers", str(folder / "answers")]
    own = ["--propose-settings", settings["propose"]]
    tables = ("images", "weak-labels", "categories")
    made = [word for name in tables for word in (f"--out-{name}", files[name])]
    return {
        "prepare": [
            *[*pictures, "--annotations", str(labels), *made, "--shards", "1"],
            *["--settings", settings["prepare"]],
        ],
        "propose": [
            *[*shared, "--out", files["proposals"], *answers],
            *["--settings", settings["propose"]],
        ],
        "select": [
            *[*shared, *flags("categories", "proposals"), "--out", files["selections"], *own],
            *["--settings", json.dumps({"method": "sam_top1"})],
        ],
        "refine": [
            *[*shared, *flags("categories", "proposals", "selections"), *own, *answers],
            *["--out", files["pseudo-labels"], "--out-trail", str(folder / "trail.parquet")],
            *["--settings", json.dumps({"method": "as_it_is", "zoom": {"enabled": False}})],
            *["--select-settings", json.dumps({"method": "sam_top1"})],
        ],
        "grade": [
            *flags("images", "weak-labels", "proposals", "selections", "pseudo-labels"),
            *[*shard, "--out", files["grades"]],
        ],
        "export": [
            *flags("images", "weak-labels", "categories", "pseudo-labels", "grades"),
            *["--out", str(folder / "labels.json")],
        ],
    }


def measured(folder: Path, stage: str, words: Sequence[str]) -> Measured:
    """CPU seconds and peak MiB of one program."""
    command = [sys.executable, "-c", CHILD, "-", *words]
    environment = {"STAGE": stage, "OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}
    found = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}
    )
    if found.returncode or "MEASURED" not in found.stdout:
        raise SystemExit(f"{stage}: {found.stderr.strip()[-600:]}")
    seconds, kib = found.stdout.split("MEASURED")[-1].split()
    return float(seconds), float(kib) / 1024


if __name__ == "__main__":
    main()
