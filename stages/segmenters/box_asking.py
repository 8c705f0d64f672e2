"""A segmenter asked with boxes alone: one mask for each, and what it thinks of it.

SAM advises its single mask for a box (`multimask_output=False`): a box says already which of the
nested objects is meant. All boxes of an image are asked after one pass of the image encoder, and
the answers are kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from stages.geometry.masks import Rle, rle_of
from stages.segmenters.answers import answers_of
from stages.segmenters.answers_kept import OF_IMAGE, Kept
from stages.segmenters.on_demand import OnDemand
from stages.segmenters.segmenter import Asked, Segmenter
from stages.tables.boxed import BOXED
from stages.tables.table import table_of


@dataclass(frozen=True, slots=True)
class Boxed:
    """The answer to one box. predicted_iou : the segmenter's own estimate."""

    rle: Rle
    predicted_iou: float


def box_facts(segmenter: OnDemand, *, clean: float) -> dict[str, Any]:
    """What all answers to boxes depend on, beside the image and the boxes; for `Kept`."""
    name = segmenter.settings.segmenter
    values = {"segmenter": name, name: segmenter.values.get(name), "clean": clean}
    return segmenter.facts(__name__, values)


class KeptBoxes:
    """Masks for boxes of one image after the other, asked for where they are not kept.

    Parameters
    ----------
    segmenter : opens it; called when a question is new.
    kept : answers of table `boxed`, with `box_facts`.
    clean : as `share` of `without_stray_components`, about the centre of the box.
    """

    def __init__(self, segmenter: Callable[[], Segmenter], kept: Kept, *, clean: float):
        self.segmenter, self.kept, self.clean = segmenter, kept, clean

    def masks(
        self, image: Mapping[str, Any], boxes: np.ndarray, pixels: Callable[[], np.ndarray]
    ) -> list[Boxed]:
        """The mask of each box.

        Parameters
        ----------
        image : row of table `images`. boxes : (n, 4) xyxy px, each with an area.
        pixels : reads the image, (height, width, 3) uint8 RGB; called when a question is new.
        """
        if not len(boxes):
            return []
        parts = {**{name: image[name] for name in OF_IMAGE}, "boxes": boxes.tolist()}
        table = self.kept.of(parts, lambda: self._table(image, boxes, pixels()))
        size = image["height"], image["width"]
        rows = table.select(["rle", "predicted_iou"]).to_pylist()
        return [Boxed(rle_of(row["rle"], *size), row["predicted_iou"]) for row in rows]

    def _table(self, image: Mapping[str, Any], boxes: np.ndarray, pixels: np.ndarray) -> pa.Table:
        segmenter = self.segmenter()
        segmenter.embed(pixels)
        asked = [Asked(None, None, box) for box in boxes.astype(np.float32)]
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        answered = segmenter.ask(asked, multimask=False)
        found = [
            answers_of(answer, centre, share=self.clean)[0]
            for answer, centre in zip(answered, centres, strict=True)
        ]
        columns: dict[str, Any] = {
            **{name: [image[name]] * len(boxes) for name in ("image_id", "height", "width")},
            "question": list(range(len(boxes))),
            "box": boxes.astype(np.float32),
            "rle": [answer.rle["counts"] for answer in found],
            "predicted_iou": [answer.predicted_iou for answer in found],
        }
        return table_of(BOXED, columns)
