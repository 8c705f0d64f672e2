"""SAM asked again, close up: the part of the image about a refined box, enlarged to SAM's input.

Not in the paper. A small object covers few cells of SAM's feature map; in a crop about its box it
covers many, and the box says which of the nested objects is meant. The crop and its mirror image
are asked alike, and the mean of both decides. It costs two passes of the image encoder per object.
"""

from dataclasses import dataclass

import numpy as np
import torch
from segment_anything import SamPredictor
from segment_anything.modeling import Sam

from stages.geometry.boxes import clip_boxes, scale_boxes


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
    """Asks one SAM about boxes, close up.

    Parameters
    ----------
    window : side of the crop, in longer sides of the box. margin : of the box that SAM is asked
        with, in sides of the box.
    """

    def __init__(self, sam: Sam, *, window: float, margin: float):
        self.predictor, self.window, self.margin = SamPredictor(sam), window, margin

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
        least = self.predictor.model.image_encoder.img_size
        window = window_about(box, height, width, scale=self.window, least=least)
        crop = window.cut(image)
        asked = scale_boxes(box[None].astype(np.float64), self.margin) - np.array(
            [window.x, window.y] * 2
        )
        asked = clip_boxes(asked, *crop.shape[:2])[0].astype(np.float32)
        there = asked.copy()
        there[[0, 2]] = crop.shape[1] - asked[[2, 0]]
        upright = self._asked(crop, asked)
        mirrored = self._asked(crop[:, ::-1], there)[:, ::-1]
        found = np.zeros((height, width), dtype=np.float32)
        window.cut(found)[:] = (upright + mirrored) / 2
        return found

    @torch.inference_mode()
    def _asked(self, crop: np.ndarray, box: np.ndarray) -> np.ndarray:
        self.predictor.set_image(np.ascontiguousarray(crop))
        boxes = torch.from_numpy(box[None]).to(self.predictor.device)
        boxes = self.predictor.transform.apply_boxes_torch(boxes, crop.shape[:2])
        logits, _, _ = self.predictor.predict_torch(
            None, None, boxes, multimask_output=False, return_logits=True
        )  # (1, 1, height, width)
        return np.asarray(logits[0, 0].sigmoid().float().cpu())
