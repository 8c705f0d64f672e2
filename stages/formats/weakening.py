"""From what an annotation holds to weak labels: as given, or a point, a box, both, or a tag of it.

`given` takes what each annotation holds: its mask, else its box, else its point, else its class.
The other ways derive one kind; every mask and box beyond that kind is then ground truth, and is not
looked at again before `evaluate`. Points: near the centre (the "QC" points, which the README of
SAPNet's code alone describes), or uniform in the mask; an annotation's own point goes before one
that is drawn. What is drawn depends on the annotation's id alone (on its image and its number there
where the file has no ids), so that neither order nor shards matter.

With `mask_share` a person has outlined some of the objects: their mask is the label then, as of
`given`, instead of a point or box.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stages.formats.format import Label
from stages.formats.mask_decoding import decoded_mask
from stages.formats.standing import in_px
from stages.geometry.boxes import clip_boxes
from stages.geometry.masks import Rle, rle_areas, rle_boxes, rles_to_masks
from stages.geometry.points import quasi_center_point, uniform_point
from stages.geometry.polygons import usable_polygons
from stages.runtime.faults import Faults
from stages.runtime.program import Sentence
from stages.runtime.randomness import Purpose, rng_of
from stages.settings.prepare import Prepare
from stages.tables.weak_labels import TAG_BAG

EDGE = 1e-3  # px: how far inside the far border the last point of an image lies
SLIP = 1.0  # px: a click on the border may lie so far outside
Row = dict[str, Any]
Image = Mapping[str, Any]


class LabelFault(ValueError):
    """What is wrong with one label. kind : in the plural, for the total."""

    def __init__(self, kind: str, sentence: str):
        super().__init__(sentence)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Weakening:
    """Makes weak labels of the labels of one file.

    faults : takes what is wrong with single labels. has_ids : ids are the file's own.
    told : counts what was taken in another way than it stands there.
    """

    settings: Prepare
    seed: int
    faults: Faults
    has_ids: bool = True
    told: Counter[str] = field(default_factory=Counter)

    def rows(self, labels: Sequence[Label], images: Mapping[int, Image]) -> list[Row]:
        """Rows of table `weak_labels`, sorted by its key, of the labels that are sound.

        Parameters
        ----------
        images : {id: {file_name, height, width, ...}}.
        """
        makers = self._ways()
        rows = []
        for label in labels:
            try:
                image = images[label.image_id]
                placed = in_px(label, image["width"], image["height"])
                is_outlined = self._is_outlined(placed, image)
                ways = (self._mask,) if is_outlined else makers
                rows += [make(placed, image) for make in ways]
            except LabelFault as fault:
                self.faults.add(fault.kind, f"{label.place}{fault}")
        rows = _one_tag_a_class(rows) if self.settings.labels == "tag" else rows
        return sorted(rows, key=lambda row: (row["image_id"], row["label_id"]))

    def _ways(self) -> tuple[Callable[[Label, Image], Row], ...]:
        """What makes the rows of a label, one of each."""
        ways: dict[str, tuple[Callable[[Label, Image], Row], ...]] = {
            "given": (self._given,),
            "point": (self._point,),
            "box": (self._box,),
            "box_and_point": (self._box, self._second_point),
            "tag": (self._tag,),
        }
        return ways[self.settings.labels]

    def _is_outlined(self, label: Label, image: Image) -> bool:
        """Whether a person has given the mask of this object, beside the weak labels of others."""
        share = self.settings.mask_share
        if not share or self._rng(label, Purpose.GIVEN_MASK).random() >= share:
            return False
        has_mask = bool(label.mask) and bool(rle_areas([self._rle(label, image)])[0])
        self.told["objects without a mask that could be given, left as they are"] += not has_mask
        return has_mask

    def _given(self, label: Label, image: Image) -> Row:
        if label.mask is not None:
            return self._mask(label, image)
        if label.box is not None:
            return self._box(label, image)
        return self._point(label, image) if label.point is not None else self._tag(label, image)

    def _tag(self, label: Label, image: Image) -> Row:
        return {**_row(label, "tag"), "instance_id": None, "bag_id": TAG_BAG}

    def _mask(self, label: Label, image: Image) -> Row:
        rle = self._rle(label, image)
        if not rle_areas([rle])[0]:
            raise LabelFault("masks without pixels", " has a mask without pixels. Correct or "
                             "remove it.")  # fmt: skip
        box = rle_boxes([rle])[0].tolist()
        return {**_row(label, "mask"), "box": box, "rle": rle["counts"]}

    def _box(self, label: Label, image: Image) -> Row:
        if label.box is not None:
            corners = np.array(label.box, dtype=np.float64)
        else:
            corners = rle_boxes([self._rle(label, image, "find a box of")])[0].astype(np.float64)
        box = clip_boxes(corners, image["height"], image["width"]).astype(np.float32)
        if not (box[2:] > box[:2]).all():
            raise LabelFault(
                "boxes without an area inside their image",
                f": box {corners.tolist()} (x0, y0, x1, y1) has no area inside its image "
                f"{_named(image)}. Correct or remove it.",
            )
        self.told["boxes cut at the border of their image"] += bool(np.abs(corners - box).max() > 1)
        return {**_row(label, "box"), "box": box.tolist()}

    def _point(self, label: Label, image: Image) -> Row:
        if label.point is None:
            x, y = self._drawn(label, image)
            return {**_row(label, "point"), "x": x, "y": y}
        x, y = label.point
        if not (_is_near(x, image["width"]) and _is_near(y, image["height"])):
            raise LabelFault(
                "points outside their image",
                f": point ({x:g}, {y:g}) is outside its image {_named(image)}. Correct or remove "
                "it.",
            )
        inside = _onto(x, image["width"]), _onto(y, image["height"])
        self.told["points on the border, moved to the border pixel"] += inside != (x, y)
        return {**_row(label, "point"), "x": inside[0], "y": inside[1]}

    def _second_point(self, label: Label, image: Image) -> Row:
        """The point of an annotation that has a box, too, under an id that no annotation has."""
        return {**self._point(label, image), "label_id": -1 - label.id}

    def _drawn(self, label: Label, image: Image) -> tuple[float, float]:
        rle = self._rle(label, image, "draw a point from")
        rng = self._rng(label, Purpose.POINT)
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

    def _rng(self, label: Label, purpose: Purpose) -> np.random.Generator:
        """Random numbers of one annotation."""
        key = (label.id,) if self.has_ids else (label.image_id, label.id)
        return rng_of(self.seed, purpose, *key)

    def _rle(self, label: Label, image: Image, purpose: str = "") -> Rle:
        size = image["height"], image["width"]
        try:
            mask = label.mask
            if isinstance(mask, list) and mask:
                mask, left_out = usable_polygons(mask, *size)
                self.told["parts of polygons that cover nothing, left out"] += left_out
            return decoded_mask(mask, *size)
        except ValueError as error:
            if not purpose or label.mask is not None:
                raise LabelFault("faulty masks", f" has no usable mask: {error} Correct or remove "
                                 "it.") from error  # fmt: skip
            raise LabelFault(
                "labels without a mask", f" has no mask to {purpose}, and {_holds(label)}. "
                "prepare.labels: given takes what each label holds; otherwise give it a mask, or "
                f"a {self.settings.labels.replace('_and_', ' and a ')}.") from error  # fmt: skip


def _is_near(value: float, side: int) -> bool:
    return bool(-SLIP <= value <= side + SLIP)


def _onto(value: float, side: int) -> float:
    """A coordinate in its image; the centre of the border pixel for one on the border or beyond."""
    return value if 0 <= value < side else min(max(value, 0.5), side - 0.5)


def _holds(label: Label) -> Sentence:
    """What a label holds, for a sentence that says what it lacks."""
    held = [name for name in ("point", "box") if getattr(label, name) is not None]
    return f"has a {' and a '.join(held)} instead" if held else "has its class alone"


def _row(label: Label, kind: str) -> Row:
    """A row with its ids; what its kind does not have is null."""
    ids = {"image_id": label.image_id, "label_id": label.id, "category_id": label.category_id}
    nothing = dict.fromkeys(("x", "y", "box", "rle"))
    object_ids = {"instance_id": label.id, "bag_id": label.id}
    return {**ids, "kind": kind, **object_ids, **nothing, "status": "given"}


def _named(image: Image) -> Sentence:
    return f"{image['file_name']} of {image['width']} x {image['height']} px"


def _one_tag_a_class(rows: Iterable[Row]) -> list[Row]:
    """A tag speaks of an image, not of an object: of each class the first is kept."""
    first: dict[tuple[int, int], Row] = {}
    for row in sorted(rows, key=lambda row: int(row["label_id"])):
        first.setdefault((row["image_id"], row["category_id"]), row)
    return list(first.values())


def _vertex(label: Label, image: Image, rng: np.random.Generator) -> tuple[float, float]:
    """A polygon's vertex, or the box's centre, for a mask too thin to cover any pixel."""
    if isinstance(label.mask, list):
        polygons, _ = usable_polygons(label.mask, image["height"], image["width"])
        corners = np.concatenate([np.reshape(polygon, (-1, 2)) for polygon in polygons])
        x, y = corners[rng.integers(len(corners))]
    elif label.box:
        x0, y0, x1, y1 = label.box
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
    else:
        raise LabelFault("masks without pixels", " has a mask without pixels, and no box. Correct "
                         "or remove it.")  # fmt: skip
    return (
        float(np.clip(x, 0, image["width"] - EDGE)),
        float(np.clip(y, 0, image["height"] - EDGE)),
    )
