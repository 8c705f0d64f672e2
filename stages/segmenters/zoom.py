"""A segmenter asked again, close up: the part of the image about a refined box, enlarged.

Not in the paper. A small object covers few cells of SAM's feature map; in a crop about its box it
covers many, and the box says which of the nested objects is meant. The crop and its mirror image
are asked alike, and the mean of both decides. It costs two passes of the image encoder per object,
so the answers are kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from stages.geometry.boxes import clip_boxes, mirrored_boxes, scale_boxes
from stages.geometry.masks import masks_to_rles
from stages.segmenters.answers_kept import OF_IMAGE, Kept
from stages.segmenters.on_demand import OnDemand
from stages.segmenters.segmenter import Asked, Segmenter
from stages.tables.table import table_of
from stages.tables.zoomed import ZOOMED


@dataclass(frozen=True, slots=True)
class Window:
    """A square of the image, `side` px, with its upper left corner at (x, y); cut at the border."""

    x: int
    y: int
    side: int

    def cut(self, image: np.ndarray) -> np.ndarray:
        """The image inside the window."""
        return image[self.y : self.y + self.side, self.x : self.x + self.side]


def window_about(box: np.ndarray, height: int, width: int, *, scale: float, least: int) -> Window:
    """The square about a box, moved to lie inside the image as far as it fits.

    Parameters
    ----------
    box : (4,) xyxy px. scale : its side, in longer sides of the box.
    least : px; a smaller square would enlarge the image beyond its own pixels.
    """
    wanted = max(scale * float(max(box[2] - box[0], box[3] - box[1])), least)
    side = round(min(wanted, max(height, width)))
    x, y = (
        round(min(max(centre - side / 2, 0), max(length - side, 0)))
        for centre, length in (((box[0] + box[2]) / 2, width), ((box[1] + box[3]) / 2, height))
    )
    return Window(int(x), int(y), int(side))


class Zoom:
    """Asks a segmenter about boxes, close up.

    Parameters
    ----------
    window : side of the crop, in longer sides of the box. margin : of the box that the segmenter
        is asked with, in sides of the box.
    """

    def __init__(self, segmenter: Segmenter, *, window: float, margin: float):
        self.segmenter, self.window, self.margin = segmenter, window, margin

    def probability(self, image: np.ndarray, box: np.ndarray) -> np.ndarray:
        """Probability of each pixel to belong to the object in a box.

        Parameters
        ----------
        image : (height, width, 3) uint8 RGB. box : (4,) xyxy px, with an area.

        Returns
        -------
        (height, width) float32, 0 outside the crop.
        """
        height, width = image.shape[:2]
        least = self.segmenter.side
        window = window_about(box, height, width, scale=self.window, least=least)
        crop = window.cut(image)
        asked = scale_boxes(box[None].astype(np.float64), self.margin) - np.array(
            [window.x, window.y] * 2
        )
        asked = clip_boxes(asked, *crop.shape[:2])[0].astype(np.float32)
        upright = self._asked(crop, asked)
        mirrored = self._asked(crop[:, ::-1], mirrored_boxes(asked, crop.shape[1]))[:, ::-1]
        found = np.zeros((height, width), dtype=np.float32)
        window.cut(found)[:] = (upright + mirrored) / 2
        return found

    def _asked(self, crop: np.ndarray, box: np.ndarray) -> np.ndarray:
        self.segmenter.embed(np.ascontiguousarray(crop))
        prompts = [Asked(None, None, box)]
        (answered,) = self.segmenter.ask(prompts, multimask=False, logits=True)
        assert answered.logits is not None
        return torch.from_numpy(answered.logits[0]).sigmoid().numpy()


def zoom_facts(segmenter: OnDemand, *, window: float, margin: float) -> dict[str, Any]:
    """What all answers close up depend on, beside the image and the boxes; for `Kept`."""
    name = segmenter.settings.segmenter
    values = {"segmenter": name, name: segmenter.values.get(name)}
    return segmenter.facts(__name__, {**values, "window": window, "margin": margin})


class KeptZoom:
    """Masks close up of one image after the other, asked for where they are not kept.

    Parameters
    ----------
    segmenter : opens it; called when a question is new.
    kept : answers of table `zoomed`, with `zoom_facts`.
    """

    def __init__(
        self, segmenter: Callable[[], Segmenter], kept: Kept, *, window: float, margin: float
    ):
        self.segmenter, self.kept, self.window, self.margin = segmenter, kept, window, margin

    def rles(
        self, image: Mapping[str, Any], boxes: np.ndarray, pixels: Callable[[], np.ndarray]
    ) -> list[bytes]:
        """COCO counts of what is seen about each box: pixels of more than half probability.

        Parameters
        ----------
        image : row of table `images`. boxes : (n, 4) xyxy px, each with an area.
        pixels : reads the image, (height, width, 3) uint8 RGB; called when a question is new.
        """
        if not len(boxes):
            return []
        parts = {**{name: image[name] for name in OF_IMAGE}, "boxes": boxes.tolist()}
        table = self.kept.of(parts, lambda: self._table(image, boxes, pixels()))
        counts: list[bytes] = table.column("rle").to_pylist()
        return counts

    def _table(self, image: Mapping[str, Any], boxes: np.ndarray, pixels: np.ndarray) -> pa.Table:
        zoom = Zoom(self.segmenter(), window=self.window, margin=self.margin)
        seen = [masks_to_rles(zoom.probability(pixels, box)[None] > 0.5)[0] for box in boxes]
        columns: dict[str, Any] = {
            **{name: [image[name]] * len(boxes) for name in ("image_id", "height", "width")},
            "question": list(range(len(boxes))),
            "box": boxes.astype(np.float32),
            "rle": [rle["counts"] for rle in seen],
        }
        return table_of(ZOOMED, columns)
