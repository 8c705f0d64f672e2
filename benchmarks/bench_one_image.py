"""What one image costs out of a large shard: read by its row group, and by reading all.

    python -m benchmarks.bench_one_image --rows 100000

makes a shard of table `proposals` in a folder of its own, twelve masks for each of five objects of
an image, and tells the milliseconds, by the clock and of the CPU, of reading images at random, and
how much of the file each touches. Codes of masks are 60 to 400 bytes, of runs without a pattern,
which compress as little as true ones. The file is in the system's cache, as when one looks at an
image after another.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pycocotools import mask as coco_mask

from stages.tables.one_image import groups_of, rows_of_image
from stages.tables.proposals import PROPOSALS
from stages.tables.table import read_table, table_of, write_table

BAG, OBJECTS = 12, 5  # masks of an object, objects of an image
SIDE = 480  # px


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--rows", type=int, default=100_000, help="of the shard")
    parser.add_argument("--looks", type=int, default=200, help="images that are read")
    args = parser.parse_args(argv)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "shard-0000-of-0001.parquet"
        images = made(path, args.rows)
        rng = np.random.default_rng(0)
        wanted = rng.integers(0, images, args.looks).tolist()
        one = milliseconds(lambda i: rows_of_image(path, PROPOSALS, i), wanted)
        whole = milliseconds(lambda i: of_all(path, i), wanted[:3])
        footer = pq.read_metadata(path)
        touched = np.mean([len(groups_of(footer, i)) for i in wanted])
        print(told(path, args.rows, footer.num_row_groups, float(touched)))
        print(f"one image, by its row group: {line(one)}")
        print(f"one image, by reading all: {line(whole)}")


def made(path: Path, rows: int) -> int:
    """Write a shard of so many rows, in whole images; how many images it has."""
    images = -(-rows // (BAG * OBJECTS))
    number = np.arange(images * BAG * OBJECTS)[:rows]
    rng = np.random.default_rng(1)
    corners = rng.integers(0, SIDE // 2, (rows, 2))
    boxes = np.hstack([corners, corners + rng.integers(9, SIDE // 2, (rows, 2))])
    columns = {
        "image_id": number // (BAG * OBJECTS),
        "bag_id": number // BAG,
        "proposal_id": (number % BAG).astype(np.int32),
        "mask_index": (number % 3).astype(np.int32),
        "box": boxes.astype(np.float32),
        "area": rng.integers(80, 57600, rows),
        "rle": [code(rng, runs) for runs in rng.integers(30, 120, rows).tolist()],
        "predicted_iou": np.linspace(0, 1, rows, dtype=np.float32),
        "stability": np.linspace(1, 0, rows, dtype=np.float32),
    }
    same = {"prompt_kind": "point", "prompt_id": 0, "derived": None, "category_id": None}
    same |= {"soft": None, "height": SIDE, "width": SIDE, "valid": True}
    write_table(
        path, table_of(PROPOSALS, columns | {k: [v] * rows for k, v in same.items()}), PROPOSALS, {}
    )
    return images


def code(rng: np.random.Generator, runs: int) -> bytes:
    """The code of a mask of so many runs of a random length."""
    ends = np.sort(rng.integers(0, SIDE * SIDE, runs - 1))
    lengths = np.diff([0, *ends, SIDE * SIDE]).tolist()
    whole = {"size": [SIDE, SIDE], "counts": lengths}
    return bytes(coco_mask.frPyObjects(whole, SIDE, SIDE)["counts"])


def of_all(path: Path, image_id: int) -> pa.Table:
    """The rows of an image, of all that are read."""
    table = read_table(path, PROPOSALS)
    return table.filter(table.column("image_id").to_numpy() == image_id)


def milliseconds(read: Callable[[int], pa.Table], wanted: Sequence[int]) -> np.ndarray:
    """(n, 2) ms of reading each of these images: by the clock, and of the CPU."""
    found = []
    for image_id in wanted:
        start = time.perf_counter(), time.process_time()
        assert len(read(image_id))
        found.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return 1000 * np.array(found)


def told(path: Path, rows: int, groups: int, touched: float) -> str:
    """One line on the file, and on how much of it an image needs."""
    size = path.stat().st_size / 2**20
    return f"{rows} rows, {size:.1f} MiB, {groups} row groups, {touched:.2f} of them read per image"


def line(times: np.ndarray) -> str:
    """Medians and largest of (n, 2) times by the clock and of the CPU, in ms."""
    (clock, cpu), (slowest, most) = np.median(times, axis=0), times.max(axis=0)
    return (
        f"median {clock:.1f} ms ({cpu:.1f} ms of CPU), slowest {slowest:.1f} ms ({most:.1f}) of "
        f"{len(times)}"
    )


if __name__ == "__main__":
    main()
