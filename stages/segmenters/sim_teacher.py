"""SIM's teacher behind the door of the segmenters: asked with boxes, it answers softly.

SIM (Li et al., CVPR 2023), Eq. 6: the locations that training would give to a box are asked for
their masks, which are joined by how well the boxes that they predict fit the asked one. The class
of a box is not needed. A box that gets no location, for it is too small or lies beside the image,
has an empty mask. What other boxes of the same question claim goes to the smallest, as in training;
a box that is left with nothing by that is asked alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_iou

from stages.box_supervision.box_crops import Crop, covering_crop
from stages.box_supervision.positives import assigned, joined_masks, positive_weights
from stages.geometry.boxes import clip_boxes
from stages.runtime.provenance import sha256_of
from stages.segmenters.location_masks import FINER
from stages.segmenters.segmenter import Answered, Asked
from stages.segmenters.sim_network import Seen, Teacher, fitted_teacher
from stages.segmenters.sim_pixels import factor_of, network_batch, resized, shown_size
from stages.segmenters.soft_answers import answered
from stages.settings.segmenters.sim import Settings

PACKAGES = ("torch", "torchvision", "numpy", "opencv-python-headless", "pillow")


def model_digest(settings: Settings, model: Path) -> str:
    """SHA-256 of the trained network; raises ValueError where it is missing."""
    if not model.is_file():
        raise ValueError(f"{model}: this model is missing. Run snakemake to make it.")
    return sha256_of(model)


def opened_segmenter(settings: Settings, *, device: torch.device, model: Path) -> "SimTeacher":
    """The trained network on a device; raises ValueError as `fitted_teacher`."""
    return SimTeacher(fitted_teacher(model, settings).to(device), settings, device)


class SimTeacher:
    """Looks at one image after the other, and says what in boxes is the object.

    Attributes
    ----------
    stride : px of the image that was embedded last per cell of its mask features.
    """

    stride: float

    def __init__(self, network: Teacher, settings: Settings, device: torch.device):
        self.network, self.settings, self.device = network, settings, device
        self.size, self.shown = (1, 1), (1, 1)  # height and width, px, of the image and as seen
        self.stride = float(network.stride)
        self.seen: Seen | None = None

    @property
    def side(self) -> int:
        """Px of the shorter side as the network sees it."""
        return self.settings.size

    @torch.inference_mode()
    def embed(self, pixels: np.ndarray) -> None:
        """Look at an image, (height, width, 3) uint8 RGB."""
        height, width = self.size = pixels.shape[:2]
        sides = {"short_side": self.side, "long_side": self.settings.long_side}
        self.shown = shown_size(height, width, **sides)
        self.stride = self.network.stride / factor_of(height, width, **sides)
        batch = network_batch([resized(pixels, self.shown)])
        self.seen = self.network(batch.to(self.device))

    def mask_features(self) -> np.ndarray:
        """Mask features of the image that was embedded last.

        Returns
        -------
        (D, ceil(height / stride), ceil(width / stride)) float32, not normalised.

        Raises
        ------
        RuntimeError : no image was embedded.
        """
        rows, columns = (-(-side // self.network.stride) for side in self.shown)
        masks = self._seen().masks[0, :, :rows, :columns]
        return np.asarray(masks.float().cpu().numpy())

    def ask(
        self, prompts: Sequence[Asked], *, multimask: bool, logits: bool = False
    ) -> Iterator[Answered]:
        """Yield the mask of each prompt, in order, in one slot, cut to its box.

        Raises
        ------
        ValueError : a prompt without a box.
        """
        boxes = np.array([box_of(prompt) for prompt in prompts], dtype=np.float64).reshape(-1, 4)
        inner = clip_boxes(boxes, *self.size)
        for box, places in zip(inner, self.places(inner), strict=True):
            crop = covering_crop(box, *self.size)
            chances = self._pasted(self.chances(box, places), crop)
            found = answered(
                chances,
                crop,
                threshold=self.settings.threshold,
                offset=self.settings.stability_offset,
                logits=logits,
            )
            yield replace(found, chances=chances[None])

    def places(self, boxes: np.ndarray) -> list[Tensor]:
        """The locations that answer for each of (n, 4) boxes, xyxy px, that lie in the image."""
        seen = self._seen()
        asked = torch.from_numpy(boxes * self._factors()).float().to(self.device)
        owners = assigned(seen.centres, seen.strides, asked)
        found = [torch.nonzero(owners == number)[:, 0] for number in range(len(boxes))]
        alone = [asked[number : number + 1] for number in range(len(boxes))]
        return [
            places if len(places) else _claimed(seen, box)
            for places, box in zip(found, alone, strict=True)
        ]

    @torch.inference_mode()
    def chances(self, box: np.ndarray, places: Tensor) -> np.ndarray:
        """M_I of one box on the grid of the masks, (h, w) float32 of 0 to 1.

        Parameters
        ----------
        box : (4,) xyxy px of the image. places : (p,) of its locations.

        Source: SIM, Eq. 6.
        """
        seen = self._seen()
        masks = self.network.logits(seen, 0, places).sigmoid()
        asked = torch.from_numpy(box * self._factors()).float().to(self.device)
        ious = box_iou(seen.boxes(0, places), asked[None])[:, 0]
        owners = torch.zeros_like(places)
        weights = positive_weights(ious, owners, 1, mu=self.settings.mu)
        return np.asarray(joined_masks(masks, weights, owners, 1)[0].cpu().numpy())

    def _seen(self) -> Seen:
        if self.seen is None:
            raise RuntimeError("sim: no image was embedded.")
        return self.seen

    def _factors(self) -> np.ndarray:
        """(4,) px as the network sees them per px of the image, of x, y, x, y."""
        return np.array([self.shown[1] / self.size[1], self.shown[0] / self.size[0]] * 2)

    def _pasted(self, chances: np.ndarray, crop: Crop) -> np.ndarray:
        """A map of the grid at the size of the image, 0 outside the crop."""
        x0, y0, x1, y1 = crop
        whole = np.zeros(self.size, dtype=np.float32)
        cells = self._factors()[:2] * FINER / self.network.stride  # per px of the image
        shift = (np.array([x0, y0]) + 0.5) * cells - 0.5
        way = np.array([[cells[0], 0, shift[0]], [0, cells[1], shift[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size, edge = (x1 - x0, y1 - y0), cv2.BORDER_REPLICATE
        part = cv2.warpAffine(chances, way, size, flags=flags, borderMode=edge)
        whole[y0:y1, x0:x1] = part
        return whole


def _claimed(seen: Seen, box: Tensor) -> Tensor:
    """Places of the locations that (1, 4) one box alone would get."""
    return torch.nonzero(assigned(seen.centres, seen.strides, box) == 0)[:, 0]


def box_of(prompt: Asked) -> np.ndarray:
    """The box of a prompt; its points, if any, are not looked at.

    Raises
    ------
    ValueError : it has none.
    """
    if prompt.box is None:
        raise ValueError(
            "propose.segmenter is sim, which answers boxes alone, but a prompt is of points. Set "
            "prepare.labels: box, or take a segmenter that answers points, such as sam."
        )
    return prompt.box
