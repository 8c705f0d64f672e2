"""From what an annotation holds to weak labels: as given, or a point, a box or a tag of it.

`given` takes what each annotation holds: its mask, else its box, else its point, else its class.
The other ways derive one kind; every mask and box beyond that kind is then ground truth, and is not
looked at again before `evaluate`. Points: near the centre (the "QC" points, which the README of
SAPNet's code alone describes), or uniform in the mask; an annotation's own point goes before one
that is drawn. What is drawn depends on the annotation's id alone, so that neither order nor shards
matter.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stages.formats.format import Label
from stages.geometry.boxes import clip_boxes
from stages.geometry.masks import Rle, rle_areas, rle_boxes, rles_to_masks, segmentation_to_rle
from stages.geometry.points import quasi_center_point, uniform_point
from stages.runtime.program import Sentence
from stages.runtime.randomness import Purpose, rng_of
from stages.settings.prepare import Prepare
from stages.tables.weak_labels import TAG_BAG

EDGE = 1e-3  # px: how far inside the far border the last point of an image lies
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Weakening:
    """Makes weak labels of one file; `source` : the file, for sentences."""

    settings: Prepare
    seed: int
    source: Path

    def rows(self, labels: Iterable[Label], images: Mapping[int, Mapping[str, Any]]) -> list[Row]:
        """Rows of table `weak_labels`, sorted by its key.

        Parameters
        ----------
        images : {id: {file_name, height, width, ...}}.

        Raises
        ------
        ValueError : an annotation has nothing that the label could be made of; names it.
        """
        make = self._way()
        rows = [make(label, images[label.image_id]) for label in labels]
        rows = _one_tag_a_class(rows) if self.settings.labels == "tag" else rows
        return sorted(rows, key=lambda row: (row["image_id"], row["label_id"]))

    def _way(self) -> Callable[[Label, Mapping[str, Any]], Row]:
        ways = {"given": self._given, "point": self._point, "box": self._box, "tag": self._tag}
        return ways[self.settings.labels]

    def _given(self, label: Label, image: Mapping[str, Any]) -> Row:
        if label.mask is not None:
            return self._mask(label, image)
        if label.box is not None:
            return self._box(label, image)
        return self._point(label, image) if label.point is not None else self._tag(label, image)

    def _tag(self, label: Label, image: Mapping[str, Any]) -> Row:
        return {**_row(label, "tag"), "instance_id": None, "bag_id": TAG_BAG}

    def _mask(self, label: Label, image: Mapping[str, Any]) -> Row:
        rle = self._rle(label, image)
        if not rle_areas([rle])[0]:
            raise ValueError(f"{self._of(label)} has a mask without pixels. Correct or remove it.")
        box = rle_boxes([rle])[0].tolist()
        return {**_row(label, "mask"), "box": box, "rle": rle["counts"]}

    def _box(self, label: Label, image: Mapping[str, Any]) -> Row:
        if label.box is not None:
            corners = np.array(label.box)
        else:
            corners = rle_boxes([self._rle(label, image, "find a box of")])[0].astype(np.float64)
        box = clip_boxes(corners, image["height"], image["width"]).astype(np.float32)
        if not (box[2:] > box[:2]).all():
            raise ValueError(
                f"{self._of(label)}: box {corners.tolist()} (x0, y0, x1, y1) has no area inside "
                f"its image {_named(image)}. Correct or remove it."
            )
        return {**_row(label, "box"), "box": box.tolist()}

    def _point(self, label: Label, image: Mapping[str, Any]) -> Row:
        x, y = label.point if label.point is not None else self._drawn(label, image)
        if not (0 <= x < image["width"] and 0 <= y < image["height"]):
            raise ValueError(
                f"{self._of(label)}: point ({x:g}, {y:g}) is outside its image {_named(image)}. "
                "Correct or remove it."
            )
        return {**_row(label, "point"), "x": x, "y": y}

    def _drawn(self, label: Label, image: Mapping[str, Any]) -> tuple[float, float]:
        rle = self._rle(label, image, "draw a point from")
        rng = rng_of(self.seed, Purpose.POINT, label.id)
        if not rle_areas([rle])[0]:
            return _vertex(label, image, rng)
        mask = rles_to_masks([rle])[0]
        if self.settings.point == "uniform":
            return uniform_point(mask, rng)
        x0, y0, x1, y1 = (int(v) for v in rle_boxes([rle])[0])
        x, y = quasi_center_point(
            mask[y0:y1, x0:x1],
            rng,
            sigma=self.settings.sigma,
            size_range=self.settings.size_range,
        )
        # the jitter may touch the far border of the image
        return min(x0 + x, image["width"] - EDGE), min(y0 + y, image["height"] - EDGE)

    def _rle(self, label: Label, image: Mapping[str, Any], purpose: str = "") -> Rle:
        try:
            return segmentation_to_rle(label.mask, image["height"], image["width"])
        except (ValueError, TypeError) as error:
            if not purpose:
                raise ValueError(f"{self._of(label)}: {error} Correct or remove it.") from error
            raise ValueError(
                f"{self._of(label)} has no usable mask to {purpose} ({error}). Give it one, or "
                "what prepare.labels asks for; prepare.labels: given takes what is there."
            ) from error

    def _of(self, label: Label) -> Sentence:
        return f"{self.source}: annotation {label.id}"


def _row(label: Label, kind: str) -> Row:
    """A row with its ids; what its kind does not have is null."""
    ids = {"image_id": label.image_id, "label_id": label.id, "category_id": label.category_id}
    nothing = dict.fromkeys(("x", "y", "box", "rle"))
    object_ids = {"instance_id": label.id, "bag_id": label.id}
    return {**ids, "kind": kind, **object_ids, **nothing, "status": "given"}


def _named(image: Mapping[str, Any]) -> Sentence:
    return f"{image['file_name']} of {image['width']} x {image['height']} px"


def _one_tag_a_class(rows: Iterable[Row]) -> list[Row]:
    """A tag speaks of an image, not of an object: of each class the first is kept."""
    first: dict[tuple[int, int], Row] = {}
    for row in sorted(rows, key=lambda row: int(row["label_id"])):
        first.setdefault((row["image_id"], row["category_id"]), row)
    return list(first.values())


def _vertex(
    label: Label, image: Mapping[str, Any], rng: np.random.Generator
) -> tuple[float, float]:
    """A polygon's vertex, or the box's centre, for a mask too thin to cover any pixel."""
    if isinstance(label.mask, list):
        corners = np.concatenate([np.reshape(polygon, (-1, 2)) for polygon in label.mask])
        x, y = corners[rng.integers(len(corners))]
    else:
        x0, y0, x1, y1 = label.box or (0.0, 0.0, 1.0, 1.0)
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return (
        float(np.clip(x, 0, image["width"] - EDGE)),
        float(np.clip(y, 0, image["height"] - EDGE)),
    )
