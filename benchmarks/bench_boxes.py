"""What segmenters make of true boxes: the IoU of their masks with the true ones, by size of object.

    python -m stages.partworld.dataset --out drawn --split train --images 80
    python -m benchmarks.bench_boxes drawn/annotations.json --images drawn/images
    python -m benchmarks.bench_boxes "$PHOTOS"/measure/coco128.json --images "$PHOTOS" \
        --ask filled --ask grabcut:iterations=3,window=2 --ask sam:scale=1.3,cut

Each `--ask` is the name of a segmenter and, behind a colon, how it is asked: `scale=1.3`, sides of
the box that it is given, in sides of the true one; `cut`, what lies outside the true box counts for
nothing; `close_up`, as `refine.zoom` asks; `point`, with a point of the object too, drawn in its
mask; `model=FILE` for a network that learns. Anything else is a key of its own block in section
`propose`. Whole images are drawn from the seed until there are as many objects as are wanted;
crowds are left out.
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from stages.geometry.boxes import clip_boxes, scale_boxes
from stages.geometry.masks import masks_to_rles, rle_iou, rles_to_masks
from stages.geometry.points import uniform_point
from stages.metrics.object_quality import TrueObject
from stages.metrics.object_sizes import share_of, size_name, size_names
from stages.photographs.reading import read_rgb
from stages.reporting.columns import aligned
from stages.runtime.doors import opened
from stages.runtime.randomness import Purpose, rng_of
from stages.scoring.truth import Truth
from stages.segmenters.answers import cut_to, without_stray_components
from stages.segmenters.segmenter import SEGMENTERS, Asked, Segmenter
from stages.segmenters.zoom import Zoom
from stages.settings.evaluate import Evaluate
from stages.settings.propose import Propose
from stages.settings.section import from_values

ASKED = (  # what is asked where nothing is named
    *("filled", "ellipse", "grabcut", "sam", "sam:scale=1.3", "sam:point"),
    "sam:close_up,scale=1.3,cut",
)
WINDOW = 2.0  # of a close-up, in longer sides of the box


@dataclass(frozen=True)
class Way:
    """A segmenter, and how it is asked.

    name : as it stands on the command line. scale : sides of the box that it is given.
    """

    name: str
    segmenter: Segmenter
    scale: float = 1.0
    cut: bool = False
    close_up: bool = False
    point: bool = False


@dataclass
class Score:
    """IoU of masks with the true ones, by class of size; seconds that the answers took."""

    ious: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("annotations", type=Path, help="COCO file with masks")
    parser.add_argument("--images", type=Path, required=True, help="its folder of images")
    parser.add_argument("--ask", action="append", metavar="NAME[:HOW]", help="may be repeated")
    parser.add_argument("--objects", type=int, default=300, help="about so many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clean", type=float, default=0.25, help="as propose.clean")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    ways = [way_of(text) for text in args.ask or ASKED]
    scores = [Score() for _ in ways]
    for pixels, objects in sampled(args.annotations, args.images, args.objects, args.seed):
        for way, score in zip(ways, scores, strict=True):
            add(score, way, pixels, objects, clean=args.clean, seed=args.seed)
    print(table(ways, scores))


def way_of(text: str) -> Way:
    """What one `--ask` says, the segmenter opened; raises ValueError for a name or key unknown."""
    name, _, rest = text.partition(":")
    if name not in SEGMENTERS:
        raise ValueError(f"--ask {text}: {name!r} is none of {', '.join(SEGMENTERS)}.")
    pairs = [word.partition("=") for word in rest.split(",") if word]
    words = {key: _value(value) if sign else True for key, sign, value in pairs}
    own = {key: words.pop(key) for key in ("scale", "cut", "close_up", "point") if key in words}
    model = {"model": Path(words.pop("model"))} if "model" in words else {}
    settings = from_values(Propose, {"segmenter": name, name: words} if words else {}, "propose")
    block, device = getattr(settings, name, None), torch.device("cpu")
    module = opened(SEGMENTERS[name].module)
    return Way(text, module.opened_segmenter(block, device=device, **model), **own)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def sampled(
    annotations: Path, images: Path, count: int, seed: int
) -> Iterator[tuple[np.ndarray, Mapping[int, TrueObject]]]:
    """Yield images, (height, width, 3) uint8, with their objects by id, until there are enough."""
    truth, rows = Truth(annotations), json.loads(annotations.read_text())["images"]
    for number in np.random.default_rng(seed).permutation(len(rows)):
        objects = truth.objects(rows[number]["id"])
        if count <= 0:
            return
        count -= len(objects)
        if objects:
            yield read_rgb(images / rows[number]["file_name"]), objects


def add(
    score: Score,
    way: Way,
    pixels: np.ndarray,
    objects: Mapping[int, TrueObject],
    *,
    clean: float,
    seed: int,
) -> None:
    """Count the objects of one image."""
    start = time.process_time()
    boxes = np.stack([goal.box for goal in objects.values()])
    points = _points(objects, seed) if way.point else None
    masks = [
        without_stray_components(cut_to(mask, box if way.cut else None), box.reshape(2, 2).mean(0),
                                 clean)
        for mask, box in zip(answers(way, pixels, boxes, points), boxes, strict=True)
    ]  # fmt: skip
    score.seconds += time.process_time() - start
    for mask, goal in zip(masks, objects.values(), strict=True):
        iou = float(rle_iou(masks_to_rles(mask[None]), [goal.rle])[0, 0])
        size = size_name(share_of(goal.rle), Evaluate().sizes)
        score.ious.setdefault(size, []).append(iou)


def answers(
    way: Way, pixels: np.ndarray, boxes: np.ndarray, points: np.ndarray | None
) -> list[np.ndarray]:
    """The mask of each box, (n, 4) xyxy px, (height, width) bool."""
    if way.close_up:
        zoom = Zoom(way.segmenter, window=WINDOW, margin=way.scale)
        return [zoom.probability(pixels, box) > 0.5 for box in boxes]
    way.segmenter.embed(pixels)
    large = (
        boxes if way.scale == 1 else clip_boxes(scale_boxes(boxes, way.scale), *pixels.shape[:2])
    )
    asked = [_asked(box, None if points is None else points[i]) for i, box in enumerate(large)]
    return [answered.masks[0] for answered in way.segmenter.ask(asked, multimask=False)]


def _asked(box: np.ndarray, point: np.ndarray | None) -> Asked:
    if point is None:
        return Asked(None, None, box.astype(np.float32))
    return Asked(point[None].astype(np.float32), np.ones(1, np.int32), box.astype(np.float32))


def _points(objects: Mapping[int, TrueObject], seed: int) -> np.ndarray:
    """A point in the mask of each object, (n, 2) x, y px."""
    return np.array(
        [
            uniform_point(rles_to_masks([goal.rle])[0], rng_of(seed, Purpose.POINT, number))
            for number, goal in objects.items()
        ]
    )


def table(ways: Sequence[Way], scores: Sequence[Score]) -> str:
    """A line for each way and class of size: objects, mean IoU, shares of IoU 0.5 and 0.75."""
    rows: list[tuple[str, ...]] = [("asked", "size", "n", "mask IoU", ">=0.5", ">=0.75", "ms each")]
    for way, score in zip(ways, scores, strict=True):
        every = [iou for ious in score.ious.values() for iou in ious]
        speed = f"{1000 * score.seconds / max(len(every), 1):.0f}"
        rows.append((way.name, "all", *_numbers(every), speed))
        for size in size_names(Evaluate().sizes):
            if size in score.ious:
                rows.append(("", size, *_numbers(score.ious[size]), ""))
    return aligned(rows)


def _numbers(ious: Sequence[float]) -> tuple[str, ...]:
    found = np.array(ious)
    means = [found.mean(), (found >= 0.5).mean(), (found >= 0.75).mean()] if len(found) else []
    return str(len(found)), *(f"{mean:.3f}" for mean in means or [float("nan")] * 3)


if __name__ == "__main__":
    main()
