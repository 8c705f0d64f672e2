"""What masks cost: encoding them, and scoring detections that have them.

    python -m benchmarks.bench_masks
    COCO_TINY=/path/to/coco_tiny python -m benchmarks.bench_masks --rounds 7

Prints CPU seconds of one thread, least and median of interleaved rounds, the ratio of the medians
to the first line's, and whether all results are equal. Data are drawn from a seed; where COCO_TINY
is set, they are its true masks, and detections that miss them by some pixels.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

os.environ["RAYON_NUM_THREADS"] = "1"  # hotcoco asks once

import cv2
import numpy as np
import torch
from pycocotools import mask as coco_mask
from segment_anything.utils.amg import (
    area_from_rle,
    batched_mask_to_box,
    coco_encode_rle,
    mask_to_rle_pytorch,
)

from stages.geometry.masks import masks_to_rles, rle_areas, rle_boxes, rles_to_masks
from stages.metrics.coco_ap import detector_ap
from stages.metrics.scorers import FASTER, HOTCOCO, PYCOCOTOOLS, backend_of, scorer_of
from stages.metrics.voc_ap import voc_ap
from stages.scoring.truth import scoring_truth
from tests.detections import perturbed, squares

ARRAYS = ("precision", "recall", "scores")
SEED = 0


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--rounds", type=int, default=5, help="3 or more")
    parser.add_argument("--masks", type=int, default=64, help="masks of a batch, where drawn")
    parser.add_argument("--images", type=int, default=160, help="to score, where drawn")
    parser.add_argument("--copies", type=int, default=4, help="detections of an object, about")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    tiny = os.environ.get("COCO_TINY")
    truth = _photographs(Path(tiny)) if tiny else squares(images=args.images, objects=10, seed=SEED)
    for title, masks in _batches(truth if tiny else None, args.masks).items():
        show(f"encode {title}", _encoders(masks), args.rounds)
        show(f"code, box and area of {title}", _measurers(masks), args.rounds)
    results = [found for k in range(args.copies) for found in perturbed(truth, seed=SEED + k)]
    counts = f"{len(truth['images'])} images, {len(truth['annotations'])} objects"
    for kind, name in (("bbox", "box"), ("segm", "mask")):
        title = f"{name} AP, {counts}, {len(results)} detections"
        show(title, _scorers(truth, results, kind), args.rounds)
    title = f"all that evaluate tells of a detector (box, mask; COCO, VOC), {counts}"
    show(title, _tellers(truth, results), args.rounds)


def show(title: str, ways: Mapping[str, Callable[[], Any]], rounds: int) -> None:
    """Run each way in turn, `rounds` times, and print a line for each."""
    outcomes = {name: way() for name, way in ways.items()}  # also warms up
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            seconds[name].append(cpu_seconds(way))
    first = next(iter(ways))
    print(f"\n{title}\n{'':38}{'min s':>9}{'median s':>10}{'ratio':>8}  result")
    for name, values in seconds.items():
        ratio = median(seconds[first]) / median(values)
        numbers = f"{min(values):9.4f}{median(values):10.4f}{ratio:7.1f}x"
        print(f"  {name:36}{numbers}  {verdict(outcomes[name], outcomes[first])}", flush=True)


def verdict(outcome: Any, first: Any) -> str:
    """Whether two results are equal; of arrays, by how much they are not."""
    if outcome == first:
        return "equal"
    if not isinstance(first[0], bytes):
        return "differs"
    pairs = [map(np.frombuffer, pair) for pair in zip(outcome, first, strict=True)]
    return f"off by {max(np.abs(a - b).max() for a, b in pairs):.1e}"


def cpu_seconds(way: Callable[[], Any]) -> float:
    """CPU time of one call, all threads together."""
    start = time.process_time()
    way()
    return time.process_time() - start


def _photographs(folder: Path) -> dict[str, Any]:
    parts = sorted((folder / "annotations").glob("instances_*.json"))
    truths = [scoring_truth(part) for part in parts]
    lists = {name: [entry for t in truths for entry in t[name]] for name in truths[0]}
    return {**lists, "categories": truths[0]["categories"]}


def _batches(truth: Mapping[str, Any] | None, count: int) -> dict[str, np.ndarray]:
    """Boolean masks (n, height, width), as a segmenter answers them."""
    if truth is None:
        sizes = [(480, 640), (1080, 1920)]
        return {f"{count} of {h} x {w}": _blobs(count, h, w) for h, w in sizes}
    rles = [entry["segmentation"] for entry in truth["annotations"]]
    size = max((rle["size"] for rle in rles), key=[rle["size"] for rle in rles].count)
    chosen = [rle for rle in rles if rle["size"] == size]
    title = f"{len(chosen)} true masks of {size[0]} x {size[1]}"
    return {title: rles_to_masks(chosen).astype(bool)}


def _blobs(count: int, height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(SEED)
    masks = np.zeros((count, height, width), dtype=np.uint8)
    for mask in masks:
        centre = rng.integers(0, (width, height)).tolist()
        axes = rng.integers(1, (width // 3, height // 3)).tolist()
        cv2.ellipse(mask, centre, axes, rng.uniform(0, 180), 0, 360, 1, -1)
    return masks.astype(bool)


def _encoders(masks: np.ndarray) -> dict[str, Callable[[], Any]]:
    return {
        "pycocotools, transposed by numpy": lambda: _by_numpy(masks),
        "pycocotools, transposed by OpenCV": lambda: _by_opencv(masks),
        "segment_anything's amg": lambda: _by_amg(masks),
        "masks_to_rles": lambda: masks_to_rles(masks),
    }


def _by_numpy(masks: np.ndarray) -> list[Any]:
    turned = np.ascontiguousarray(masks.astype(np.uint8).transpose(0, 2, 1))
    return list(coco_mask.encode(turned.transpose(2, 1, 0)))


def _by_opencv(masks: np.ndarray) -> list[Any]:
    return [coco_mask.encode(cv2.transpose(mask).T) for mask in masks.view(np.uint8)]


def _by_amg(masks: np.ndarray) -> list[Any]:
    rles = [coco_encode_rle(rle) for rle in mask_to_rle_pytorch(torch.from_numpy(masks))]
    return [{**rle, "counts": rle["counts"].encode()} for rle in rles]


def _measurers(masks: np.ndarray) -> dict[str, Callable[[], Any]]:
    return {
        "segment_anything's amg": lambda: _measured_by_amg(masks),
        "pycocotools, transposed by numpy": lambda: _measured_by_code(_by_numpy(masks)),
        "masks_to_rles, rle_boxes, rle_areas": lambda: _measured_by_code(masks_to_rles(masks)),
    }


def _measured_by_amg(masks: np.ndarray) -> tuple[Any, ...]:
    pixels = torch.from_numpy(masks)
    runs = mask_to_rle_pytorch(pixels)
    rles = [coco_encode_rle(run) for run in runs]
    boxes = batched_mask_to_box(pixels).float().numpy()
    areas = [area_from_rle(run) for run in runs]
    boxes[np.array(areas) > 0, 2:] += 1  # it names the last pixel
    codes = [{**rle, "counts": rle["counts"].encode()} for rle in rles]
    return codes, boxes.tolist(), areas


def _measured_by_code(rles: list[Any]) -> tuple[Any, ...]:
    return rles, rle_boxes(rles).tolist(), rle_areas(rles).tolist()


def _tellers(truth: Any, results: Any) -> dict[str, Callable[[], Any]]:
    """The numbers of `evaluate`; first as pycocotools gives them, a pass for each kind of AP."""
    told = partial(_told, truth, results)
    ways: dict[str, Callable[[], Any]] = {
        "pycocotools, COCO's and VOC's apart": partial(told, PYCOCOTOOLS, apart=True),
        "pycocotools, one pass": partial(told, PYCOCOTOOLS),
    }
    if _is_there(HOTCOCO):
        ways["hotcoco, one pass"] = partial(told, HOTCOCO)
    return ways


def _told(truth: Any, results: Any, backend: str, *, apart: bool = False) -> list[Any]:
    numbers = detector_ap(truth, results, backend=backend)
    kinds = ("bbox", "segm")
    voc: Any = numbers["voc"]
    if apart:
        voc = {kind: voc_ap(truth, results, kind=kind, backend=backend) for kind in kinds}
    return [[numbers[kind], voc[kind]] for kind in kinds]


def _scorers(truth: Any, results: Any, kind: str) -> dict[str, Callable[[], Any]]:
    return {
        name: lambda name=name: _arrays(truth, results, kind, name)
        for name in (PYCOCOTOOLS, FASTER, HOTCOCO)
        if _is_there(name)
    }


def _is_there(name: str) -> bool:
    try:
        backend_of(name)
    except ValueError:
        return False
    return True


def _arrays(truth: Any, results: Any, kind: str, backend: str) -> list[bytes]:
    """Whole arrays and the twelve numbers, as bytes."""
    scorer = scorer_of(truth, results, kind=kind, backend=backend)
    with redirect_stdout(None):
        scorer.evaluate()
        scorer.accumulate()
        scorer.summarize()
    arrays = [np.asarray(scorer.eval[name]) for name in ARRAYS] + [np.asarray(scorer.stats[:12])]
    return [array.tobytes() for array in arrays]


if __name__ == "__main__":
    main()
