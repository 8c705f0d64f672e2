"""What SIM's teacher is worth as a detector: its own box and mask AP on images with truth.

    python -m benchmarks.bench_teacher results/sim_demo/partworld/val \
        --teacher once=results/sim_demo/fit_propose/model.pt \
        --teacher sim=results/sim_demo/sim/round-2/fit_propose/model.pt

The paper's numbers are those of its network, and not of a Mask R-CNN that learned from its masks.
Locations are detections as in FCOS and CondInst: the root of class score times centredness, from
SCORE on, NMS within a class at NMS, the best MOST of an image, each with the mask that its own
location makes. The keys of propose.sim are read from the model's own header.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import batched_nms

from stages.engines.results import results_of
from stages.learning.model_file import load_model
from stages.metrics.coco_ap import detector_ap
from stages.photographs.reading import read_rgb
from stages.reporting.columns import aligned
from stages.segmenters.location_masks import FINER
from stages.segmenters.sim_network import Seen, Teacher, fitted_teacher
from stages.segmenters.sim_pixels import network_batch, resized, shown_size
from stages.settings.propose import Propose
from stages.settings.section import from_values
from stages.settings.segmenters.sim import Settings

SCORE, NMS, MOST = 0.05, 0.6, 100  # CondInst
NUMBERS = ("AP", "AP50", "AP75")


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("truth", type=Path, help="folder with annotations.json and images/")
    parser.add_argument("--teacher", action="append", required=True, metavar="NAME=FILE")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    truth = json.loads((args.truth / "annotations.json").read_text())
    rows: list[tuple[str, ...]] = [("teacher", "kind", *NUMBERS)]
    for text in args.teacher:
        name, _, path = text.partition("=")
        results = [row for found in detections(Path(path), truth, args.truth) for row in found]
        found = detector_ap(truth, results)
        for kind in ("bbox", "segm"):
            rows.append((name, kind, *(f"{found[kind][key]:.3f}" for key in NUMBERS)))
    print(aligned(rows))


def settings_of(path: Path) -> Settings:
    """Block propose.sim that a teacher was trained with, out of its header.

    Raises
    ------
    ValueError : no teacher of SIM.
    """
    _, header = load_model(path)
    values = header["settings"]
    if values.get("segmenter") != "sim":
        raise ValueError(f"{path}: no teacher of SIM, but of {values.get('segmenter')}.")
    sizes = values["sim"]["training"]["sizes"]
    size = sizes if isinstance(sizes, int) else max(sizes)
    return from_values(Propose, {**values, "sim": {**values["sim"], "size": size}}, "propose").sim


@torch.inference_mode()
def detections(path: Path, truth: dict[str, Any], folder: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield COCO results, image by image."""
    settings = settings_of(path)
    teacher = fitted_teacher(path, settings)
    category_ids = teacher.category_ids.tolist()
    for image in truth["images"]:
        pixels = read_rgb(folder / "images" / image["file_name"])
        size = shown_size(*pixels.shape[:2], short_side=settings.size, long_side=settings.long_side)
        seen = teacher(network_batch([resized(pixels, size)]))
        places, classes, scores = kept(seen)
        boxes, masks = shown(teacher, seen, places, size, pixels.shape[:2])
        yield results_of(image["id"], boxes, classes + 1, scores, masks, category_ids)


def kept(seen: Seen) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """Locations of the detections, their classes from 0, and their scores, the surest first."""
    sure = seen.heads["cls_logits"][0].sigmoid() * seen.heads["bbox_ctrness"][0].sigmoid()
    scores = sure.sqrt()  # (k, c)
    places, classes = torch.nonzero(scores > SCORE, as_tuple=True)
    best = scores[places, classes]
    first = batched_nms(seen.boxes(0, places), best, classes, NMS)[:MOST]
    return places[first], classes[first].numpy(), best[first].numpy()


def shown(
    teacher: Teacher, seen: Seen, places: Tensor, size: Sequence[int], whole: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes, (n, 4) xyxy px of the image, and masks, (n, height, width) bool, of locations.

    Parameters
    ----------
    size : (height, width) px as the network sees the image. whole : of the image.
    """
    factors = torch.tensor([whole[1] / size[1], whole[0] / size[0]] * 2)
    edges = torch.tensor([whole[1], whole[0]] * 2)
    boxes = (seen.boxes(0, places) * factors).clamp(min=0).minimum(edges)
    if not len(places):
        return boxes.numpy(), np.zeros((0, *whole), dtype=bool)
    logits = teacher.logits(seen, 0, places)[None]
    large = F.interpolate(logits, scale_factor=teacher.stride // FINER, mode="bilinear")[0]
    large = F.interpolate(large[None, :, : size[0], : size[1]], tuple(whole), mode="bilinear")[0]
    return boxes.numpy(), (large > 0).numpy()


if __name__ == "__main__":
    main()
