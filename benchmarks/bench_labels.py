"""What a training takes to read its labels: memory and time of a COCO file of many annotations.

    python -m benchmarks.bench_labels
    python -m benchmarks.bench_labels --annotations 860000

Writes a file as `export` does (eight labels an image, codes of 200 characters, two extra masks,
quality and provenance) and reads it three times, each in a process of its own: whole, as
`json.loads` does; as a training of several masks an object does; and as any other training does.
Prints the peak beyond what the process had before, in MiB and in KiB an annotation, and CPU
seconds. Linux alone.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stages.geometry.masks import masks_to_rles, written_rle

OF_IMAGE = 8  # annotations
SIDE = 640  # px
COLUMNS = 60  # of a mask, px; some 200 characters
CHILD = """
import json, sys, time
from pathlib import Path
from stages.engines.training_labels import Labels

def peak():
    [line] = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return int(line.split()[1])

ways = {
    "whole": lambda path: json.loads(path.read_bytes()),
    "several masks": Labels,
    "one mask": lambda path: Labels(path, extra_masks=False),
}
before, start = peak(), time.process_time()
kept = ways[sys.argv[1]](Path(sys.argv[2]))
print(peak() - before, time.process_time() - start)
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--annotations", type=int, default=200_000)
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.json"
        write(path, args.annotations)
        print(f"{args.annotations:,} annotations, {path.stat().st_size / 2**20:.0f} MiB")
        print(f"{'':16}{'MiB':>7}{'KiB each':>10}{'CPU s':>8}")
        for way in ("whole", "several masks", "one mask"):
            kib, seconds = _read(way, path)
            print(f"{way:16}{kib / 1024:>7.0f}{kib / args.annotations:>10.2f}{seconds:>8.1f}")


def write(path: Path, annotations: int) -> None:
    """A COCO file with so many annotations, an entry to a line."""
    images = range(1, -(-annotations // OF_IMAGE) + 1)
    sizes = {"height": SIDE, "width": SIDE}
    with path.open("w", encoding="utf-8") as file:
        file.write('{"images": [\n')
        lines = [json.dumps({"id": n, "file_name": f"{n}.jpg", **sizes}) for n in images]
        file.write(",\n".join(lines))
        file.write('\n], "categories": [{"id": 1, "name": "thing"}], "annotations": [\n')
        for place, line in enumerate(_annotations(annotations)):
            file.write((",\n" if place else "") + line)
        file.write("\n]}\n")


def _annotations(count: int) -> Iterator[str]:
    quality = {"mask_quality": 0.8, "mask_source": "vote", "box_fit": 1.0, "reasons": ["overlap"]}
    mask = _mask()
    shared = {"category_id": 1, "area": 4.0, "segmentation": mask, "mask_weight": 1.0}
    shared |= {"iscrowd": 0, "score": 0.5, "extra_masks": [mask, mask], "quality": quality}
    for number in range(count):
        prompt = {"kind": "point", "point": [5.5, 6.5], "box": None}
        made: dict[str, Any] = {"instance_id": number, "label_ids": [number], "prompt": prompt}
        own = {"id": number + 1, "image_id": number // OF_IMAGE + 1, "provenance": made}
        yield json.dumps({**own, "bbox": [4.0, 4.0, 2.0, 2.0], **shared})


def _mask() -> dict[str, Any]:
    """A mask with a ragged edge, as COCO JSON holds it."""
    mask = np.zeros((1, SIDE, SIDE), dtype=np.uint8)
    for column in range(COLUMNS):
        mask[0, 100 : 140 + column * 7 % 23, 200 + column] = 1
    return written_rle(masks_to_rles(mask)[0])


def _read(way: str, path: Path) -> tuple[float, float]:
    """KiB beyond what was there before, and CPU seconds."""
    command = [sys.executable, "-c", CHILD, way, str(path)]
    found = subprocess.run(command, capture_output=True, text=True)
    if found.returncode:
        raise SystemExit(f"{way}: {found.stderr.strip()[-600:]}")
    kib, seconds = found.stdout.split()
    return float(kib), float(seconds)


if __name__ == "__main__":
    main()
