"""What a second look changed: labels of two rounds, object by object, against the truth.

    R=results/relabel/seed-1
    python -m benchmarks.bench_relabel $R/partworld/train/annotations.json \
        --before $R/once/refine/shard-*.parquet --after $R/selective/round-2/refine/shard-*.parquet

A label has changed where its mask is another one. A gain or a loss is clear where the mask IoU with
the true object differs by `--clear` at least.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stages.geometry.masks import rle_iou, rle_of
from stages.scoring.truth import Truth
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import read_tables

COLUMNS = ("image_id", "instance_id", "rle", "height", "width")
Masks = dict[tuple[int, int], tuple[bytes, int, int]]


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("truth", type=Path, help="COCO file with the true masks")
    for flag in ("before", "after"):
        parser.add_argument(f"--{flag}", type=Path, nargs="+", required=True, help="of refine")
    parser.add_argument("--clear", type=float, default=0.1, help="of mask IoU")
    args = parser.parse_args(argv)
    before, after = masks_of(args.before), masks_of(args.after)
    if set(before) != set(after):
        raise SystemExit("--before and --after are not about the same objects.")
    truth = Truth(args.truth)
    ious = ious_of(before, truth), ious_of(after, truth)
    changed = sum(before[key] != after[key] for key in before)
    print(told(*ious, changed=changed, clear=args.clear))


def masks_of(paths: Sequence[Path]) -> Masks:
    """Counts, height and width of each mask by (image_id, instance_id)."""
    rows = read_tables(paths, PSEUDO_LABELS, columns=COLUMNS).to_pylist()
    return {
        (row["image_id"], row["instance_id"]): (row["rle"], row["height"], row["width"])
        for row in rows
    }


def ious_of(masks: Masks, truth: Truth) -> np.ndarray:
    """(n,) mask IoU of each object with the truth, by rising image and object."""
    found = []
    for (image_id, instance_id), (counts, height, width) in sorted(masks.items()):
        goal = truth.objects(image_id)[instance_id]
        found.append(float(rle_iou([rle_of(counts, height, width)], [goal.rle])[0, 0]))
    return np.array(found)


def told(before: np.ndarray, after: np.ndarray, *, changed: int, clear: float) -> str:
    """One line: objects, changed labels, mean IoU of both, clear gains and losses."""
    first, last = (ious.mean() if len(ious) else math.nan for ious in (before, after))
    gains, losses = (after >= before + clear).sum(), (after <= before - clear).sum()
    return (
        f"{len(before)} objects, {changed} changed ({100 * changed / max(len(before), 1):.1f} %), "
        f"mask IoU {first:.3f} to {last:.3f}, {gains} clear gains, "
        f"{losses} clear losses"
    )


if __name__ == "__main__":
    main()
