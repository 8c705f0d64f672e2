"""propose against the loop that one would write with SamPredictor, at equal settings.

    COCO_TINY=/path/to/coco_tiny python -m benchmarks.bench_propose
    python -m benchmarks.bench_propose --images FOLDER --annotations FILE --count 24 \
        --settings '{"sam": {"model": "vit_b", "checkpoint": "sam_vit_b_01ec64.pth"}}'

Both read the same photographs and ask the same SAM the same questions: points of the objects,
points inside the first masks, boxes about them (those that propose makes by its settings, which the
loop is given for nothing). The loop asks one question at a time and measures masks with
segment_anything's own tools; it writes JSON. Both run twice: without cleaning, which is what such a
loop does, and with the cleaning of `propose.clean`, which the loop does by OpenCV's statistics of
the whole image. All are timed in CPU seconds, one thread, in turns.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from segment_anything import SamPredictor
from segment_anything.utils.amg import (
    batched_mask_to_box,
    calculate_stability_score,
    coco_encode_rle,
    mask_to_rle_pytorch,
)

from stages.geometry.masks import rle_iou, rle_of
from stages.photographs.reading import read_rgb
from stages.segmenters.derived import Question, own_questions
from stages.segmenters.proposing import Proposer
from stages.segmenters.sam import opened_segmenter
from stages.settings.propose import Propose
from stages.settings.section import from_json
from stages.tables.prompts import PROMPTS
from stages.tables.proposals import PROPOSALS
from stages.tables.table import rows_table, write_table


@dataclass(frozen=True)
class Photograph:
    """One image: its row of table `images`, its file, its prompts and all that is asked of it."""

    row: dict[str, Any]
    path: Path
    prompts: Any
    questions: list[tuple[Question, int]]  # and how many masks each has


def photographs(images: Path, annotations: Path, count: int) -> list[Photograph]:
    """The first `count` images with objects; the point of an object is the middle of its box."""
    coco = json.loads(annotations.read_text())
    objects: dict[int, list[dict[str, Any]]] = {}
    for entry in coco["annotations"]:
        if not entry.get("iscrowd"):
            objects.setdefault(entry["image_id"], []).append(entry)
    with_objects = [entry for entry in coco["images"] if entry["id"] in objects]
    chosen = sorted(with_objects, key=lambda entry: entry["id"])[:count]
    return [_photograph(entry, images, objects[entry["id"]]) for entry in chosen]


def _photograph(entry: dict[str, Any], images: Path, objects: list[dict[str, Any]]) -> Photograph:
    row = {"image_id": entry["id"], "height": entry["height"], "width": entry["width"]}
    prompts = [
        {
            **{"image_id": entry["id"], "bag_id": number, "prompt_id": 0, "kind": "point"},
            **{"points": [[x + width / 2, y + height / 2]], "point_signs": [1]},
        }
        for number, (x, y, width, height) in enumerate(item["bbox"] for item in objects)
    ]
    table = rows_table(PROMPTS, prompts)
    return Photograph(row, images / entry["file_name"], table, [])


def with_questions(proposer: Proposer, photograph: Photograph) -> Photograph:
    """The photograph with what propose asks about it."""
    bags = proposer.bags(read_rgb(photograph.path), own_questions(photograph.prompts))
    asked: dict[int, tuple[Question, int]] = {}
    for question, _ in (pair for bag in bags.values() for pair in bag):
        known = asked.get(id(question), (question, 0))
        asked[id(question)] = (question, known[1] + 1)
    return Photograph(photograph.row, photograph.path, photograph.prompts, list(asked.values()))


def proposed(proposer: Proposer, chosen: Sequence[Photograph], folder: Path) -> dict[Any, bytes]:
    """What propose does for these photographs; the code of each mask, by what was asked."""
    tables = []
    for one in chosen:
        tables.append(proposer.rows(one.row, read_rgb(one.path), one.prompts))
        write_table(folder / f"{one.row['image_id']}.parquet", tables[-1], PROPOSALS, {})
    names = ("image_id", "bag_id", "prompt_kind", "derived", "mask_index", "rle")
    rows = [row for table in tables for row in table.select(names).to_pylist()]
    return {tuple(row[name] for name in names[:-1]): row["rle"] for row in rows}


def looped(
    predictor: SamPredictor, chosen: Sequence[Photograph], folder: Path, *, share: float
) -> dict[Any, bytes]:
    """What the loop does for these photographs; as `proposed`."""
    found, records = dict[Any, bytes](), []
    for one in chosen:
        predictor.set_image(np.array(Image.open(one.path).convert("RGB")))
        for question, count in one.questions:
            for slot, record in enumerate(_asked(predictor, question, count > 1, share)):
                own = (one.row["image_id"], question.bag_id, question.kind, question.derived, slot)
                found[own] = record["segmentation"]["counts"].encode()
                records.append({"image_id": own[0], "bag": own[1], "slot": slot, **record})
    (folder / "loop.json").write_text(json.dumps(records))
    return found


def _asked(
    predictor: SamPredictor, question: Question, multimask: bool, share: float
) -> list[dict[str, Any]]:
    asked = question.asked
    logits, scores, _ = predictor.predict(
        asked.points,
        asked.signs,
        box=asked.box,
        multimask_output=multimask,
        return_logits=True,
    )
    stability = calculate_stability_score(torch.from_numpy(logits), 0.0, 1.0).tolist()
    masks = np.stack([by_statistics(mask, question.anchor, share) for mask in logits > 0])
    boxes = batched_mask_to_box(torch.from_numpy(masks)).tolist()
    codes = [coco_encode_rle(rle) for rle in mask_to_rle_pytorch(torch.from_numpy(masks))]
    return [
        {
            **{"segmentation": codes[k], "bbox": boxes[k], "area": int(masks[k].sum())},
            **{"predicted_iou": float(scores[k]), "stability_score": stability[k]},
        }
        for k in range(len(masks))
    ]


def by_statistics(mask: np.ndarray, anchor: np.ndarray, share: float) -> np.ndarray:
    """The obvious way to what `without_stray_components` does: sizes in the whole image."""
    if not share:
        return mask
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count <= 2:
        return mask
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    height, width = mask.shape
    under = labels[min(int(anchor[1]), height - 1), min(int(anchor[0]), width - 1)]
    measure = areas[under] if under else areas.max()
    return np.asarray((areas >= share * measure)[labels] & mask)


def alike(ours: dict[Any, bytes], theirs: dict[Any, bytes], chosen: Sequence[Photograph]) -> str:
    """How many masks have the same code, and the least IoU of the others."""
    if set(ours) != set(theirs):
        raise SystemExit(f"other masks were asked for: {sorted(set(ours) ^ set(theirs))[:3]}")
    size = {one.row["image_id"]: (one.row["height"], one.row["width"]) for one in chosen}
    differ = [key for key in ours if ours[key] != theirs[key]]
    ious = [
        float(rle_iou([rle_of(ours[k], *size[k[0]])], [rle_of(theirs[k], *size[k[0]])])[0, 0])
        for k in differ
    ]
    same = 1 - len(differ) / max(len(ours), 1)
    return (
        f"{len(ours)} masks, {same:.2%} with the same RLE, least IoU {min(ious, default=1.0):.4f}"
    )


def measured(ways: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each way, round by round, in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.process_time()
            way()
            seconds[name].append(time.process_time() - start)
    return seconds


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tiny = Path(os.environ.get("COCO_TINY", "coco_tiny"))
    parser.add_argument("--images", type=Path, default=tiny / "train2017")
    parser.add_argument(
        "--annotations", type=Path, default=tiny / "annotations" / "instances_train2017.json"
    )
    parser.add_argument("--count", type=int, default=24, help="photographs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `propose`")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    settings = from_json(Propose, args.settings, "propose")
    segmenter = opened_segmenter(settings.sam, device=torch.device("cpu"))
    proposer = Proposer(segmenter, settings, seed=0)
    uncleaned = Proposer(segmenter, settings.model_copy(update={"clean": 0.0}), seed=0)
    chosen = photographs(args.images, args.annotations, args.count)
    chosen = [with_questions(proposer, one) for one in chosen]
    predictor = SamPredictor(segmenter.predictor.model)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ways: dict[str, Callable[[], Any]] = {
            "propose": lambda: proposed(proposer, chosen, folder),
            "propose, uncleaned": lambda: proposed(uncleaned, chosen, folder),
            "loop": lambda: looped(predictor, chosen, folder, share=0.0),
            "loop, cleaned": lambda: looped(predictor, chosen, folder, share=settings.clean),
        }
        ours, theirs = ways["propose"](), ways["loop, cleaned"]()
        seconds = measured(ways, args.rounds)
    questions = sum(len(one.questions) for one in chosen)
    print(f"{len(chosen)} photographs, {questions} questions; {alike(ours, theirs, chosen)}")
    print(f"{'':20}{'min s':>8}{'median s':>10}")
    for name, found in seconds.items():
        print(f"{name:20}{min(found):8.2f}{statistics.median(found):10.2f}")
    for ours, theirs in (("propose", "loop, cleaned"), ("propose, uncleaned", "loop")):
        print(f"{ours}: {min(seconds[theirs]) / min(seconds[ours]):.2f} x as fast as {theirs}")


if __name__ == "__main__":
    main()
