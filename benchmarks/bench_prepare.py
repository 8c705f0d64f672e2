"""What prepare costs: CPU seconds and memory for ever more annotations.

    python -m benchmarks.bench_prepare
    python -m benchmarks.bench_prepare --annotations 25000 50000 100000 --format csv

Draws photographs of one colour with eight objects each, whose labels are COCO polygons of twenty
corners (a point is drawn in each), or clicks in a CSV, and runs the program as its rule does, in a
process of its own. Prints CPU seconds, those of one annotation, and the largest memory.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

OBJECTS, CORNERS = 8, 20
HEIGHT, WIDTH = 480, 640  # px
SEED = 0
CHILD = """
import resource, sys
from stages.prepare import main
main(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--annotations", type=int, nargs="+", default=[25_000, 50_000, 100_000])
    parser.add_argument("--format", choices=("coco", "csv"), default="coco")
    args = parser.parse_args(argv)
    print(f"{'annotations':>12} {'images':>8} {'CPU s':>8} {'us each':>8} {'peak MiB':>9}")
    for number in sorted(args.annotations):
        with tempfile.TemporaryDirectory() as folder:
            images = number // OBJECTS
            labels = drawn(Path(folder), images, args.format)
            seconds, memory = measured(Path(folder), labels)
        each = seconds / number * 1e6
        print(f"{number:>12,} {images:>8,} {seconds:>8.1f} {each:>8.0f} {memory:>9.0f}", flush=True)


def drawn(folder: Path, images: int, kind: str) -> Path:
    """Photographs, and a file of their labels; returns the file."""
    (folder / "images").mkdir()
    for number in range(images):
        image = Image.new("RGB", (WIDTH, HEIGHT), (number % 256, 90, 120))
        image.save(folder / "images" / f"{number:06d}.jpg", quality=30)
    rng = np.random.default_rng(SEED)
    centres = rng.uniform([60, 60], [WIDTH - 60, HEIGHT - 60], (images, OBJECTS, 2))
    path = folder / f"labels.{'json' if kind == 'coco' else 'csv'}"
    with path.open("w", newline="", encoding="utf-8") as file:
        if kind == "csv":
            rows = csv.writer(file)
            rows.writerow(["file_name", "label", "x", "y"])
            for number, image_centres in enumerate(centres):
                for x, y in image_centres.round(2).tolist():
                    rows.writerow([f"{number:06d}.jpg", "thing", x, y])
        else:
            json.dump(_coco(centres), file)
    return path


def _coco(centres: np.ndarray) -> dict[str, object]:
    """A COCO file with a polygon about each centre, (images, objects, 2) px."""
    angles = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    rim = np.stack([50 * np.cos(angles), 40 * np.sin(angles)], axis=-1)
    outlines = (centres[:, :, None] + rim).round(2).reshape(*centres.shape[:2], -1).tolist()
    entries = [
        {"id": image * OBJECTS + k, "image_id": image, "category_id": 1, "segmentation": [outline]}
        for image, of_image in enumerate(outlines)
        for k, outline in enumerate(of_image)
    ]
    images = [
        {"id": k, "file_name": f"{k:06d}.jpg", "height": HEIGHT, "width": WIDTH}
        for k in range(len(outlines))
    ]
    classes = [{"id": 1, "name": "thing"}]
    return {"images": images, "annotations": entries, "categories": classes}


def measured(folder: Path, labels: Path) -> tuple[float, float]:
    """CPU seconds and peak memory in MiB of prepare."""
    outs = ("out-images", "out-weak-labels", "out-categories")
    files = [word for name in outs for word in (f"--{name}", str(folder / name))]
    inputs = ["--image-folder", str(folder / "images"), "--annotations", str(labels)]
    command = [sys.executable, "-c", CHILD, *inputs, *files, "--shards", "16"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, kib = found.stdout.split()[-2:]
    return float(seconds), float(kib) / 1024


if __name__ == "__main__":
    main()
