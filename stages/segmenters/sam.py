"""SAM behind the door of the segmenters, through the stock SamPredictor.

An image is embedded once; prompts go in batches bounded by `prompts_per_batch`.
"""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from segment_anything import SamPredictor
from segment_anything.modeling import Sam
from torch import Tensor

from stages.segmenters.full_size import full_size
from stages.segmenters.prompt_batches import BatchedSegmenter, answers, stacked
from stages.segmenters.sam_loading import checked_sha256, load_sam
from stages.segmenters.segmenter import Answered, Asked
from stages.settings.segmenters.sam import Settings

LOOKING = Lock()  # one image in the encoder at a time: it fills a card alone, and its memory too
PACKAGES = ("torch", "segment-anything-py", "opencv-python-headless")


def model_digest(settings: Settings) -> str:
    """SHA-256 of the weight file; raises ValueError where it is missing or not the wanted one."""
    return checked_sha256(Path(settings.checkpoint), settings.sha256)


def opened_segmenter(settings: Settings, *, device: torch.device) -> "SamSegmenter":
    """SAM with its weights on a device; raises ValueError as `load_sam`."""
    return SamSegmenter(loaded(settings, device), settings)


def loaded(settings: Settings, device: torch.device) -> Sam:
    """The SAM that the settings name, on a device; raises ValueError as `load_sam`."""
    return load_sam(
        settings.model,
        Path(settings.checkpoint),
        settings.sha256,
        device,
        attention=settings.attention,
        compiled=settings.precision if settings.compile else None,
    )


class SamSegmenter(BatchedSegmenter):
    """Asks one SAM about one image after the other."""

    name = "sam"

    def __init__(self, sam: Sam, settings: Settings):
        self.predictor = SamPredictor(sam)
        self.settings = settings
        self.batch, self.mask_memory = settings.prompts_per_batch, settings.mask_memory
        self.size = (1, 1)
        self.position: Tensor | None = None  # encoding of each cell; of the image that was embedded

    @property
    def side(self) -> int:
        """Px of the longer side of the image as SAM sees it."""
        return int(self.predictor.model.image_encoder.img_size)

    def embed(self, pixels: np.ndarray) -> None:
        """Look at an image, (height, width, 3) uint8 RGB."""
        self.size = (pixels.shape[0], pixels.shape[1])
        half = self.settings.precision == "bfloat16"
        kind = self.predictor.device.type
        with LOOKING, torch.autocast(kind, dtype=torch.bfloat16, enabled=half):
            self.predictor.set_image(pixels)
        self.predictor.features = self.predictor.features.float()
        self.position = self.predictor.model.prompt_encoder.get_dense_pe()

    @torch.inference_mode()
    def _ask_batch(
        self, prompts: Sequence[Asked], *, multimask: bool, logits: bool
    ) -> list[Answered]:
        small, scores = self._decoded(prompts, multimask=multimask)
        offset = self.settings.stability_offset
        return answers(full_size(self.predictor, small, offset=offset, logits=logits), scores)

    def _decoded(self, prompts: Sequence[Asked], *, multimask: bool) -> tuple[Tensor, Tensor]:
        """Small logits (prompts, slots, h, w) and predicted IoUs, as `predict_torch` has them."""
        coords, signs, boxes = self._inputs(prompts)
        model = self.predictor.model
        points = None if coords is None else (coords, signs)
        sparse, dense = model.prompt_encoder(points=points, boxes=boxes, masks=None)
        small, scores = model.mask_decoder(
            image_embeddings=self.predictor.features,
            image_pe=self.position,
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=multimask,
        )
        return small.float(), scores.float()

    def _inputs(
        self, prompts: Sequence[Asked]
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Points, their signs and boxes of prompts that are alike, on SAM's grid."""
        device, size = self.predictor.device, self.predictor.original_size
        transform = self.predictor.transform
        points, signs, boxes = stacked(prompts)
        coords = known = corners = None
        if points is not None and signs is not None:
            coords = transform.apply_coords_torch(torch.from_numpy(points).to(device), size)
            known = torch.from_numpy(signs).to(device=device, dtype=torch.int)
        if boxes is not None:
            corners = transform.apply_boxes_torch(torch.from_numpy(boxes).to(device), size)
        return coords, known, corners
