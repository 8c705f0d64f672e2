"""Objects of a COCO file by image, as arrays: true ones, or labels that anybody made."""

from pathlib import Path
from typing import Any

import numpy as np

from stages.formats.coco import labelled, read_coco
from stages.geometry.masks import Rle, rle_areas
from stages.metrics.shapes import Shapes, no_shapes
from stages.scoring.truth import true_box, true_mask

Entry = dict[str, Any]


class CocoShapes:
    """Objects and crowds of a COCO file; masks are decoded when an image is asked for.

    is_masked : whether every object and crowd has a mask; if not, boxes alone are known of all.
    """

    def __init__(self, path: Path):
        file = read_coco(path)
        self.path = path
        self._sizes = {item["id"]: (item["height"], item["width"]) for item in file.images}
        self._names = {item["id"]: item["name"] for item in file.categories}
        objects = labelled(file.annotations)
        self.is_masked = all(entry.get("segmentation") for entry in file.annotations)
        self._objects = _by_image(objects)
        self._crowds = _by_image([entry for entry in file.annotations if entry.get("iscrowd", 0)])

    def check_images(self, image_ids: list[int]) -> None:
        """Raise ValueError where the file knows none of these images."""
        if image_ids and not self._sizes.keys() & set(image_ids):
            raise ValueError(
                f"{self.path}: none of the {len(image_ids)} images is in this file (the first is "
                f"{image_ids[0]}). Give a file whose image ids are those of table images."
            )

    def check_classes(self, truth: "CocoShapes") -> None:
        """Raise ValueError where the other file has another class under one of our ids."""
        for number, name in self._names.items():
            other = truth._names.get(number, name)
            if other != name:
                raise ValueError(
                    f"{self.path}: category {number} is {name!r} here and {other!r} in "
                    f"{truth.path}. Number the classes of the labels as those of the ground truth."
                )

    def objects(self, image_id: int) -> Shapes:
        """What is no crowd; a mask without pixels is no object.

        Raises
        ------
        ValueError : a mask that does not fit its image, or neither mask nor box.
        """
        return self._shapes(self._objects.get(image_id, []), image_id)

    def crowds(self, image_id: int) -> Shapes:
        """Crowds, as `objects`."""
        return self._shapes(self._crowds.get(image_id, []), image_id)

    def _shapes(self, entries: list[Entry], image_id: int) -> Shapes:
        if not entries:
            return no_shapes()
        rles = None
        if self.is_masked:
            rles = [true_mask(entry, self._sizes[image_id], self.path) for entry in entries]
            kept = np.flatnonzero(rle_areas(rles)).tolist()
            entries, rles = [entries[k] for k in kept], [rles[k] for k in kept]
        boxes = [self._box(entry, rles[k] if rles else None) for k, entry in enumerate(entries)]
        scores = [entry.get("score") for entry in entries]
        return Shapes(
            np.array([entry["category_id"] for entry in entries], dtype=np.int64),
            np.array(boxes, dtype=np.float64).reshape(-1, 4),
            rles,
            None if None in scores else np.array(scores, dtype=np.float64),
        )

    def _box(self, entry: Entry, rle: Rle | None) -> np.ndarray:
        if rle is None and entry.get("segmentation"):
            rle = true_mask(entry, self._sizes[entry["image_id"]], self.path)
        if rle is None and not entry.get("bbox"):
            raise ValueError(
                f"{self.path}: annotation {entry['id']} has neither bbox nor segmentation."
            )
        return true_box(entry, rle or {})


def _by_image(entries: list[Entry]) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry["image_id"], []).append(entry)
    return found
