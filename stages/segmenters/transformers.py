"""The promptable models of Hugging Face `transformers` behind the door of the segmenters.

An image is embedded once by the library's own processor and encoder; prompts are answered in
batches, and masks enlarged as the processor of the family does it. The families differ in what
`stages.segmenters.families` says of them, and in nothing else here.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stages.segmenters.full_size import cut
from stages.segmenters.prompt_batches import BatchedSegmenter, answers, stacked
from stages.segmenters.segmenter import Answered, Asked
from stages.segmenters.transformers_loading import (
    KEY,
    PACKAGES,
    Loaded,
    checked_digest,
    load_promptable,
)
from stages.settings.segmenters.transformers import Settings

__all__ = ["PACKAGES"]
THRESHOLD = 0.0  # logit; that of every family


def model_digest(settings: Settings) -> str:
    """SHA-256 over the folder's files; raises ValueError as `checked_digest`."""
    return checked_digest(settings.path, KEY)


def opened_segmenter(settings: Settings, *, device: torch.device) -> "TransformersSegmenter":
    """The model of the folder on a device; raises ValueError as `load_promptable`."""
    return TransformersSegmenter(load_promptable(settings.path, device), settings)


class TransformersSegmenter(BatchedSegmenter):
    """Asks one model about one image after the other."""

    name = "transformers"

    def __init__(self, loaded: Loaded, settings: Settings):
        self.loaded, self.settings = loaded, settings
        self.batch, self.mask_memory = settings.prompts_per_batch, settings.mask_memory
        self.size = self.seen = (1, 1)  # (height, width) of the image that was embedded, and inside
        self.embedding = dict[str, Any]()  # ... the model's input; and what the encoder made of it

    @property
    def side(self) -> int:
        """Px of the longer side of the image as the model sees it."""
        return self.loaded.side

    def embed(self, pixels: np.ndarray) -> None:
        """Look at an image, (height, width, 3) uint8 RGB."""
        half = self.settings.precision == "bfloat16"
        self.size = (pixels.shape[0], pixels.shape[1])
        given, self.seen = prepared(self.loaded, pixels)
        self.embedding = embedded(self.loaded, given, half=half)

    @torch.inference_mode()
    def _ask_batch(
        self, prompts: Sequence[Asked], *, multimask: bool, logits: bool
    ) -> list[Answered]:
        model, offset = self.loaded.model, self.settings.stability_offset
        told = model(**self.embedding, **self._inputs(prompts), multimask_output=multimask)
        sizes = [[self.size]] if self.loaded.family.square else [[self.size], [self.seen]]
        (found,) = self.loaded.processor.post_process_masks(
            told.pred_masks.float(), *sizes, binarize=False
        )  # (prompts, slots, height, width)
        scores = told.iou_scores[0].float()  # (prompts, slots)
        return answers(cut(found, threshold=THRESHOLD, offset=offset, logits=logits), scores)

    def _inputs(self, prompts: Sequence[Asked]) -> dict[str, Tensor]:
        """Prompts that are alike, on the model's grid, in a batch of the one image."""
        points, signs, boxes = stacked(prompts)
        found = dict[str, Tensor]()
        if points is not None and signs is not None:
            found["input_points"] = self._scaled(points)
            found["input_labels"] = torch.from_numpy(signs).long()
        if boxes is not None:
            found["input_boxes"] = self._scaled(boxes.reshape(-1, 2, 2)).flatten(1)
        device = self.loaded.model.device
        return {name: value[None].to(device) for name, value in found.items()}

    def _scaled(self, xy: np.ndarray) -> Tensor:
        """(..., 2) px of the image to px of the input, as precise as the family's processor."""
        precision = torch.float32 if self.loaded.family.square else torch.float64
        scaled = torch.from_numpy(xy).to(precision)
        scaled[..., 0] *= self.seen[1] / self.size[1]
        scaled[..., 1] *= self.seen[0] / self.size[0]
        return scaled


def prepared(loaded: Loaded, pixels: np.ndarray) -> tuple[Tensor, tuple[int, int]]:
    """(3, side, side) float32 as the model takes an image, and (height, width) of it therein."""
    own = np.array(pixels)  # the library warns of arrays that it must not write into
    told = loaded.processor(images=own, return_tensors="pt", input_data_format="channels_last")
    if loaded.family.square:
        return told["pixel_values"][0], (loaded.side, loaded.side)
    height, width = (int(length) for length in told["reshaped_input_sizes"][0])
    return told["pixel_values"][0], (height, width)


@torch.inference_mode()
def embedded(loaded: Loaded, given: Tensor, *, half: bool = False) -> dict[str, Any]:
    """What the encoder makes of an image from `prepared`, as arguments of the model, float32.

    Parameters
    ----------
    half : the encoder computes in bfloat16.
    """
    device = loaded.model.device
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
        found = loaded.model.get_image_embeddings(given[None].to(device))
    names = loaded.family.embedded
    return dict(zip(names, map(_whole, found if len(names) > 1 else (found,)), strict=True))


def _whole(found: Any) -> Any:
    """A map, or a list of maps, in float32."""
    return found.float() if isinstance(found, Tensor) else [one.float() for one in found]
