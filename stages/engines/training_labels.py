"""Pseudo-labels, or any COCO file, as what a detector trains on.

Beside COCO's keys an annotation may carry `mask_weight` (0: the box is trained, the mask ignored),
`ignore_mask` (an RLE of pixels that no mask loss looks at), `score`, `extra_masks` (up to three
further RLEs) and `quality.box_fit`. Crowds, and images without any annotation, are left out and
counted.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from stages.engines.annotations import Rule, check_annotation, slim, weight_of
from stages.engines.copy_paste import (
    pastable_instances,
)
from stages.formats.coco import labelled, read_coco
from stages.geometry.boxes import xywh_to_xyxy
from stages.geometry.masks import Rle, rle_areas, segmentation_to_rle
from stages.runtime.faults import Faults
from stages.settings.train import Train


@dataclass(frozen=True, slots=True)
class Objects:
    """The annotations of one image.

    boxes : (n, 4) float32 xyxy px. labels : (n,) int64 from 1 (0 is the background).
    rles : (n,) masks. mask_weight : (n,) float32; 0 where the mask is not to be trained.
    score : (n,) float64 in [0, 1]; 1 without. extra_rles : (n,) of up to three masks each.
    ignore_rles : (n,) pixels that no mask loss looks at; empty where no annotation of the file has
    any.
    """

    boxes: np.ndarray
    labels: np.ndarray
    rles: Sequence[Rle]
    mask_weight: np.ndarray
    score: np.ndarray
    extra_rles: Sequence[Sequence[Rle]]
    ignore_rles: Sequence[Rle] = ()


class Labels:
    """A COCO file with the images that have annotations, ids in order.

    extra_masks : False leaves `extra_masks` unread, for a training that needs none.
    counts : whether an image counts, by its id; others are as if they were not in the file.
    categories : the full list, sorted by id; label k of the network is categories[k - 1].
    without_objects : number of images that were left out.
    ignores : whether any annotation has an `ignore_mask`; only then are such masks made.
    """

    def __init__(
        self,
        path: Path,
        *,
        extra_masks: bool = True,
        counts: Callable[[int], bool] = lambda image_id: True,
    ):
        file = read_coco(path, kept=partial(slim, extra_masks=extra_masks))
        self.path = path
        self.categories = [{"id": c["id"], "name": c["name"]} for c in file.categories]
        self._images = {entry["id"]: entry for entry in file.images if counts(entry["id"])}
        self._annotations: dict[int, list[dict[str, Any]]] = {}
        faults = Faults(path)
        for entry in labelled(file.annotations):
            if entry["image_id"] not in self._images:
                continue
            with faults.caught("faulty annotations", f"annotation {entry['id']}"):
                check_annotation(entry, self._size(entry["image_id"]))
            self._annotations.setdefault(entry["image_id"], []).append(entry)
        faults.check()
        self.ignores = any(entry.get("ignore_mask") for entry in self._entries())
        self.image_ids = sorted(self._annotations)
        self.without_objects = len(self._images) - len(self.image_ids)
        self.annotations = sum(map(len, self._annotations.values()))
        if not self.image_ids:
            where = f"{path}, {len(self._images)} of {len(file.images)} images"
            raise ValueError(f"{where}: all annotations are crowds, or there are none. Label more.")

    def image(self, image_id: int) -> dict[str, Any]:
        """The image's entry in the file."""
        return self._images[image_id]

    def _entries(self) -> Iterator[dict[str, Any]]:
        return chain.from_iterable(self._annotations.values())

    def _size(self, image_id: int) -> tuple[int, int]:
        """(height, width) px."""
        image = self._images[image_id]
        return image["height"], image["width"]

    def masks_ignored(self, rule: Rule = "label") -> int:
        """Number of annotations whose mask is not trained; `rule` as in `objects`."""
        return sum(weight_of(entry, rule) == 0 for entry in self._entries())

    def ignored_shares(self, rule: Rule = "label") -> list[float]:
        """Of each trained mask with ignored pixels: their area over that of its box, at most 1."""
        shares = [
            rle_areas([self._rle(entry, entry["ignore_mask"], image_id)])[0]
            / np.prod(entry["bbox"][2:])
            for image_id, entries in self._annotations.items()
            for entry in entries
            if entry.get("ignore_mask") and weight_of(entry, rule)
        ]
        return [min(float(share), 1.0) for share in shares if share]

    def pastable(self, settings: Train) -> int:
        """Number of annotations that copy-paste may take, if their masks have pixels."""
        entries = list(self._entries())
        weights = np.array([weight_of(entry, settings.mask_weight) for entry in entries])
        scores = np.array([entry.get("score", 1) for entry in entries], dtype=np.float64)
        return int(
            pastable_instances(weights, scores, np.ones(len(entries)), settings.copy_paste).sum()
        )

    def objects(self, image_id: int, rule: Rule = "label") -> Objects:
        """The image's annotations.

        Parameters
        ----------
        rule : what mask weights are: the key mask_weight (1 without; 0 without a mask), or that
            times the score or quality.box_fit of the annotations that have one.

        Raises
        ------
        ValueError : a mask that does not fit its image.
        """
        entries = self._annotations[image_id]
        number = {category["id"]: k for k, category in enumerate(self.categories, start=1)}
        boxes = np.array([entry["bbox"] for entry in entries], dtype=np.float32)
        weights = [weight_of(entry, rule) for entry in entries]
        scores = [entry.get("score", 1) for entry in entries]
        extra = [entry.get("extra_masks", []) for entry in entries]
        return Objects(
            boxes=xywh_to_xyxy(boxes),
            labels=np.array([number[entry["category_id"]] for entry in entries]),
            rles=[self._rle(entry, entry.get("segmentation"), image_id) for entry in entries],
            mask_weight=np.array(weights, dtype=np.float32),
            score=np.array(scores, dtype=np.float64),
            extra_rles=[
                [self._rle(entry, mask, image_id, "extra mask: ") for mask in masks]
                for entry, masks in zip(entries, extra, strict=True)
            ],
            ignore_rles=[
                self._rle(entry, entry.get("ignore_mask"), image_id, "ignore_mask: ")
                for entry in (entries if self.ignores else [])
            ],
        )

    def _rle(self, entry: dict[str, Any], mask: Any, image_id: int, name: str = "") -> Rle:
        size = self._size(image_id)
        if not mask:
            return segmentation_to_rle({"size": [*size], "counts": [size[0] * size[1]]}, *size)
        try:
            return segmentation_to_rle(mask, *size)
        except ValueError as error:
            raise ValueError(f"{self.path}: annotation {entry['id']}: {name}{error}") from None
