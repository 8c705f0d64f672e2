"""A saliency network of the user's as a segmenter: what stands out in the crop of a box.

BoxCaseg's comparison with an off-the-shelf network (spec, section 18). In comes an ONNX file with
one image as its input, (1, 3, side, side) RGB, and a map of 0 to 1 as its first output, of any
size; it runs through OpenCV, on a CPU. The crop is squeezed into a square; the answer is stretched
back over it, and what is above the threshold is pasted into the box.

As BoxCaseg's code, each answer is spread over 0 to 1 first (`minmax`); unlike it, a flat answer is
not: spread noise would be a mask. An answer with nothing above the threshold is an empty mask.
"""

from pathlib import Path

import cv2
import numpy as np
import torch

from stages.geometry.boxes import scale_boxes, touched_pixels
from stages.runtime.provenance import sha256_of
from stages.segmenters.box_segmenter import SURE, BoxSegmenter
from stages.settings.segmenters.saliency import Settings

PACKAGES = ("numpy", "opencv-python-headless")
KEY = "propose.saliency.checkpoint"
FLAT = 1e-3  # range of an answer; a lesser one holds nothing but rounding
SLACK = 1e-4  # beyond 0 and 1 that rounding may lead


def model_digest(settings: Settings) -> str:
    """SHA-256 of the ONNX file; raises ValueError where it is missing or not the wanted one."""
    if not settings.checkpoint or not Path(settings.checkpoint).is_file():
        raise ValueError(
            f"{KEY}: there is no file {settings.checkpoint}. Name the ONNX file of a saliency "
            "network; nothing is fetched."
        )
    seen = sha256_of(Path(settings.checkpoint))
    if settings.sha256 and seen != settings.sha256.lower():
        raise ValueError(
            f"{settings.checkpoint}: its sha256 is {seen}, but {settings.sha256} is wanted. The "
            "file is damaged or another one: replace it, or correct propose.saliency.sha256."
        )
    return seen


def opened_segmenter(settings: Settings, *, device: torch.device) -> "Saliency":
    """The network, asked once about a black square.

    Raises
    ------
    ValueError : as `model_digest`; no ONNX, or a network that does not fit.
    """
    model_digest(settings)
    try:
        network = cv2.dnn.readNetFromONNX(str(settings.checkpoint))
    except cv2.error as error:
        raise ValueError(
            f"{settings.checkpoint}: OpenCV reads no ONNX network from it ({_reason(error)}). "
            f"Export the network to ONNX, and name that file in {KEY}."
        ) from error
    segmenter = Saliency(network, settings)
    segmenter.map_of(np.zeros((settings.side, settings.side, 3), dtype=np.uint8))
    return segmenter


class Saliency(BoxSegmenter):
    """Asks a network about crops.

    Parameters
    ----------
    network : as OpenCV reads it; of its outputs the first counts.
    """

    name = "saliency"

    def __init__(self, network: cv2.dnn.Net, settings: Settings):
        self.network, self.settings = network, settings
        self.output: str = network.getUnconnectedOutLayersNames()[0]

    def answer(self, box: np.ndarray) -> tuple[np.ndarray, float]:
        """What stands out in the box, and its mean saliency; 0 where nothing does."""
        size = self.pixels.shape[:2]
        looked = touched_pixels(scale_boxes(box, self.settings.window), *size)
        seen = np.zeros(size, dtype=np.float32)
        crop = self.pixels[looked]
        seen[looked] = cv2.resize(self.map_of(crop), crop.shape[1::-1])
        inside = np.zeros(size, dtype=bool)
        inside[touched_pixels(box, *size)] = True
        found = np.where(inside, thresholded(seen, self.settings.threshold), np.float32(-SURE))
        mask = found > 0
        return found, float(seen[mask].mean()) if mask.any() else 0.0

    def map_of(self, crop: np.ndarray) -> np.ndarray:
        """Saliency of a crop, (height, width, 3) uint8 RGB: (h, w) float32, 0 to 1.

        Raises
        ------
        ValueError : the network cannot be run on it, or answers with no such map.
        """
        try:
            self.network.setInput(network_input(crop, self.settings))
            found = np.asarray(self.network.forward(self.output))
        except cv2.error as error:
            side = self.settings.side
            raise ValueError(
                f"{self.settings.checkpoint}: the network takes no image of {side} x {side} px "
                f"({_reason(error)}). Set propose.saliency.side to the one that it was made for."
            ) from error
        if found.ndim < 2 or found.size != np.prod(found.shape[-2:]) or not found.size:
            raise ValueError(
                f"{self.settings.checkpoint}: its first output has the shape {found.shape}, but a "
                "map is wanted, (1, 1, height, width). Export the network with the map first."
            )
        return self._spread(found.reshape(found.shape[-2:]).astype(np.float32))

    def _spread(self, found: np.ndarray) -> np.ndarray:
        """A map within 0 and 1, spread over it where that is wanted."""
        low, high = float(found.min()), float(found.max())
        if self.settings.minmax and high - low >= FLAT:
            return np.asarray((found - low) / (high - low))
        if not (-SLACK <= low and high <= 1 + SLACK):  # not finite, too
            raise ValueError(
                f"{self.settings.checkpoint}: its answers run from {low:g} to {high:g}, but 0 to 1 "
                "is wanted. Export the network with its sigmoid, or set propose.saliency.minmax: "
                "true."
            )
        return np.asarray(np.clip(found, 0, 1))


def network_input(crop: np.ndarray, settings: Settings) -> np.ndarray:
    """A crop, (height, width, 3) uint8 RGB, as the network wants it: (1, 3, side, side) float32."""
    side = settings.side
    how = cv2.INTER_AREA if min(crop.shape[:2]) > side else cv2.INTER_LINEAR
    square = cv2.resize(crop, (side, side), interpolation=how).astype(np.float32) / 255
    normal = (square - np.array(settings.mean)) / np.array(settings.std)
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[None], dtype=np.float32)


def thresholded(seen: np.ndarray, threshold: float) -> np.ndarray:
    """Logits of probabilities, (h, w) float32, above 0 where they are above the threshold."""
    least = 1 / (1 + np.exp(SURE))
    odds = np.log(seen.clip(least, 1 - least)) - np.log1p(-seen.clip(least, 1 - least))
    return np.asarray(odds - np.log(threshold / (1 - threshold)), dtype=np.float32)


def _reason(error: cv2.error) -> str:
    """What OpenCV says in one line, without its own places."""
    return str(error).strip().splitlines()[0].split("error: ")[-1][:120]
