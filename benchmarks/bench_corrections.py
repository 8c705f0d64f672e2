"""What correcting labels buys: their mask IoU against the share that a person has corrected.

    R=results/grading/seed-3
    python -m benchmarks.bench_corrections $R/points/export/pseudo_labels.json \
        --objects $R/points/evaluate/objects.parquet --out curve.png

A corrected label has its true mask. Labels are corrected in the order of the list that `review`
writes, the most doubtful first, in random order (the mean of `--draws`), and in the best order that
there is, the worst mask first, which nobody knows. `--corrections FILE --share 0.1 --truth FILE`
also writes the corrections of a share, in the order of the list, for `dataset.corrections`.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stages.formats.corrections import corrections_values
from stages.formats.pseudo_label_file import PseudoLabelFile, opened_labels
from stages.formats.writer import KEEP
from stages.geometry.masks import written_rle
from stages.reporting.canvas import canvas, plain
from stages.reviewing.listing import doubts
from stages.runtime.atomic import write_text
from stages.scoring.truth import Truth
from stages.tables.judged_objects import JUDGED_OBJECTS
from stages.tables.table import read_table

SHARES = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
ORDERS = ("list", "random", "best")
WORDS = {"list": "the list's order", "random": "random order", "best": "worst mask first"}
SIZE = (8.0, 5.5)  # inches


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("labels", type=Path, help="pseudo_labels.json of export")
    parser.add_argument("--objects", type=Path, required=True, help="objects.parquet of evaluate")
    parser.add_argument("--draws", type=int, default=20, help="random orders")
    parser.add_argument("--out", type=Path, help="PNG")
    parser.add_argument("--corrections", type=Path, help="JSON to write")
    parser.add_argument("--share", type=float, default=0.1, help="of the labels, for that")
    parser.add_argument("--truth", type=Path, help="COCO file with the true masks, for that")
    args = parser.parse_args(argv)
    file = opened_labels(args.labels, KEEP)
    listed, ious = listed_ious(file, args.objects)
    curves = curves_of(ious, draws=args.draws)
    print(table_of(curves, len(ious)))
    if args.out:
        draw(curves, args.out)
    if args.corrections:
        count = round(args.share * len(listed))
        values = corrected(file, listed[:count], Truth(args.truth))
        write_text(args.corrections, json.dumps(values) + "\n")
        print(f"{count} corrections: {args.corrections}")


def listed_ious(file: PseudoLabelFile, objects: Path) -> tuple[list[int], np.ndarray]:
    """Annotations in the order of the list, and the mask IoU of each, (n,)."""
    found, _ = doubts(file, 1 << 30)
    known = known_ious(objects)
    instances = {entry["id"]: entry["provenance"]["instance_id"] for entry in file.annotations()}
    ids = [doubt.annotation_id for doubt in found if instances[doubt.annotation_id] in known]
    return ids, np.array([known[instances[number]] for number in ids])


def known_ious(objects: Path) -> dict[int, float]:
    """Mask IoU of each object's label, by instance_id, of those that nobody gave."""
    rows = read_table(objects, JUDGED_OBJECTS).to_pylist()
    return {row["instance_id"]: row["mask_iou"] for row in rows}


def curves_of(ious: np.ndarray, *, draws: int) -> dict[str, np.ndarray]:
    """Mean mask IoU after each of SHARES was corrected, (s,), by order.

    Parameters
    ----------
    ious : (n,) in the order of the list.
    """
    rng = np.random.default_rng(0)
    shuffled = [rng.permutation(ious) for _ in range(draws)]
    return {
        "list": corrected_means(ious),
        "random": np.mean([corrected_means(order) for order in shuffled], axis=0),
        "best": corrected_means(np.sort(ious)),
    }


def corrected_means(ious: np.ndarray) -> np.ndarray:
    """(s,) mean where the first of them are 1."""
    count = len(ious)
    tails = [ious[round(share * count) :] for share in SHARES]
    return np.array([(count - len(tail) + tail.sum()) / max(count, 1) for tail in tails])


def table_of(curves: Mapping[str, np.ndarray], count: int) -> str:
    """Markdown: a column for each order."""
    heads = ["corrected", "labels", *WORDS.values()]
    lines = [f"| {' | '.join(heads)} |", "|" + " --: |" * len(heads)]
    for place, share in enumerate(SHARES):
        values = [f"{100 * curves[order][place]:.1f}" for order in ORDERS]
        lines.append(f"| {100 * share:.0f} % | {round(share * count)} | {' | '.join(values)} |")
    return "\n".join(lines)


def draw(curves: Mapping[str, np.ndarray], out: Path) -> None:
    """Write the picture."""
    with canvas(out, SIZE) as figure:
        axis = figure.subplots()
        for order in ORDERS:
            axis.plot(100 * np.array(SHARES), 100 * curves[order], marker="o", label=WORDS[order])
        axis.set_xlabel("% of the labels that a person has corrected")
        axis.set_ylabel("mean mask IoU of all labels, %")
        axis.legend(frameon=False, loc="lower right")
        plain(axis, grid="y", shade="0.9")


def corrected(file: PseudoLabelFile, ids: Sequence[int], truth: Truth) -> dict[str, Any]:
    """The file of corrections that gives these annotations their true masks."""
    wanted, entries, images = set(ids), [], []
    for image, annotations in file.by_image():
        mine = [entry for entry in annotations if entry["id"] in wanted]
        if mine:
            images.append(image)
        for entry in mine:
            instance = entry["provenance"]["instance_id"]
            goal = truth.objects(image["id"])[instance]
            ids_of = {"id": entry["id"], "image_id": image["id"], "instance_id": instance}
            kind = {"category_id": goal.category_id, "status": "corrected"}
            entries.append({**ids_of, **kind, "segmentation": written_rle(goal.rle)})
    return corrections_values(images, entries, {"made_of": "the truth"})


if __name__ == "__main__":
    main()
