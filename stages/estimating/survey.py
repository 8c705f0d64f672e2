"""A data set on disk: what there is to label, and a few photographs with their labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stages.estimating.counts import Counts, counted, of_labels, weak_kinds
from stages.estimating.probe import Shown, grid_about, prompts_about
from stages.formats.format import FORMATS, Label, Labelled
from stages.formats.standing import in_px, standing
from stages.photographs.naming import Names
from stages.runtime.doors import opened
from stages.runtime.faults import Faults

Values = Mapping[str, Any]


def read_split(split: Values) -> Labelled:
    """The labels of a split: {images, annotations, read}; faults are for `prepare` to tell.

    Raises
    ------
    ValueError : the file is missing, or faulty as a whole.
    """
    source, images = Path(split["annotations"]), Path(split["images"])
    found: Labelled = opened(FORMATS[split["read"]].module).read(source, images, Faults(source))
    return found


def surveyed(
    split: Values, held_out: Sequence[Values], prepare: Values, most: int
) -> tuple[Counts, list[Shown]]:
    """What there is to label, and photographs spread over the set, each with what is asked.

    Parameters
    ----------
    split, held_out : {images, annotations, read} each. prepare : the section.
    most : photographs that are opened.
    """
    file = read_split(split)
    labels = standing(file.labels, prepare["crowds"], Counter())
    counts = counted(
        of_labels(labels, prepare["labels"]),
        images=len(file.images),
        held_out=sum(len(read_split(other).images) for other in held_out),
        how=f"read in {split['annotations']}",
    )
    own: dict[int, list[Label]] = {}
    for label in labels:
        own.setdefault(label.image_id, []).append(label)
    images = [image for image in file.images if image["id"] in own]
    chosen = images[:: max(len(images) // most, 1)][:most]
    names = Names(Path(split["images"]))
    shown = [_shown(names, image, own[image["id"]], prepare["labels"]) for image in chosen]
    return counts, [image for image in shown if image is not None]


def _shown(names: Names, image: Values, labels: Sequence[Label], way: str) -> Shown | None:
    """A photograph with its questions; None where it cannot be read, which `prepare` will tell."""
    name = names.find(image["file_name"])
    try:
        with Image.open(names.folder / str(name)) as file:
            pixels = np.asarray(file.convert("RGB"))
    except (OSError, ValueError):
        return None
    height, width = pixels.shape[:2]
    points: list[tuple[float, float]] = []
    boxes: list[tuple[float, float, float, float]] = []
    for label in (in_px(label, width, height) for label in labels):
        kinds = weak_kinds(label, way)
        points += [_inside(label, width, height)] if "point" in kinds else []
        boxes += [label.box] if "box" in kinds and label.box is not None else []
    is_tagged = any("tag" in weak_kinds(label, way) for label in labels)
    return Shown(pixels, prompts_about(points, boxes, grid_about(pixels) if is_tagged else []))


def _inside(label: Label, width: int, height: int) -> tuple[float, float]:
    """The point of a label, or the middle of its box, or of the image."""
    if label.point is not None:
        return label.point
    x0, y0, x1, y1 = label.box or (0.0, 0.0, float(width), float(height))
    return (x0 + x1) / 2, (y0 + y1) / 2
