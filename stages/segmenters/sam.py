"""SAM behind the door of the segmenters, through the stock SamPredictor.

An image is embedded once; prompts go in batches bounded by `prompts_per_batch` (on a CPU larger
batches gain nothing and cost memory; on a GPU they do gain). When a GPU runs out of memory the
batch is halved and the work goes on.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from segment_anything import SamPredictor
from segment_anything.modeling import Sam
from torch import Tensor

from stages.runtime.program import say
from stages.segmenters.full_size import full_size_logits, masks_above, stability_scores
from stages.segmenters.sam_loading import checked_sha256, load_sam
from stages.segmenters.segmenter import Answered, Asked
from stages.settings.segmenters.sam import Settings

PACKAGES = ("torch", "segment-anything-py", "opencv-python-headless")


def model_digest(settings: Settings) -> str:
    """SHA-256 of the weight file; raises ValueError where it is missing or not the wanted one."""
    return checked_sha256(Path(settings.checkpoint), settings.sha256)


def opened_segmenter(settings: Settings, *, device: torch.device) -> "SamSegmenter":
    """SAM with its weights on a device; raises ValueError as `load_sam`."""
    sam = load_sam(settings.model, Path(settings.checkpoint), settings.sha256, device)
    return SamSegmenter(sam, settings)


class SamSegmenter:
    """Asks one SAM about one image after the other."""

    def __init__(self, sam: Sam, settings: Settings):
        self.predictor = SamPredictor(sam)
        self.settings = settings
        self.batch = settings.prompts_per_batch
        self.position: Tensor | None = None  # encoding of each cell; of the image that was embedded

    @property
    def side(self) -> int:
        """Px of the longer side of the image as SAM sees it."""
        return int(self.predictor.model.image_encoder.img_size)

    def embed(self, pixels: np.ndarray) -> None:
        """Look at an image, (height, width, 3) uint8 RGB."""
        half = self.settings.precision == "bfloat16"
        with torch.autocast(self.predictor.device.type, dtype=torch.bfloat16, enabled=half):
            self.predictor.set_image(pixels)
        self.predictor.features = self.predictor.features.float()
        self.position = self.predictor.model.prompt_encoder.get_dense_pe()

    def ask(
        self, prompts: Sequence[Asked], *, multimask: bool, logits: bool = False
    ) -> Iterator[Answered]:
        """Yield the masks of each prompt, in order: three slots, or with `multimask` False one."""
        done = 0
        while done < len(prompts):
            batch = _alike(prompts[done : done + self.batch])
            try:
                answered = self._ask_batch(batch, multimask=multimask, logits=logits)
            except torch.cuda.OutOfMemoryError:
                if self.batch == 1:
                    raise
                torch.cuda.empty_cache()
                self.batch = max(1, self.batch // 2)
                say("sam", f"GPU memory is short: {self.batch} prompts at a time from now on.")
                continue
            yield from answered
            done += len(batch)

    @torch.inference_mode()
    def _ask_batch(
        self, prompts: Sequence[Asked], *, multimask: bool, logits: bool
    ) -> list[Answered]:
        small, scores = self._decoded(prompts, multimask=multimask)
        found = full_size_logits(self.predictor, small)  # (prompts, slots, height, width)
        threshold = self.predictor.model.mask_threshold
        masks = masks_above(found, threshold)
        raw = found.cpu().numpy() if logits else None
        stable = stability_scores(found, threshold, self.settings.stability_offset)
        iou = scores.cpu().numpy()
        return [
            Answered(None if raw is None else raw[i], masks[i], iou[i], stable[i])
            for i in range(len(prompts))
        ]

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
        coords = signs = boxes = None
        if prompts[0].points is not None:
            stacked = np.stack([p.points for p in prompts if p.points is not None])
            points = torch.from_numpy(stacked.astype(np.float32)).to(device)
            coords = transform.apply_coords_torch(points, size)
            signs = torch.from_numpy(np.stack([p.signs for p in prompts if p.signs is not None]))
            signs = signs.to(device=device, dtype=torch.int)
        if prompts[0].box is not None:
            stacked = np.stack([p.box for p in prompts if p.box is not None])
            whole = torch.from_numpy(stacked.astype(np.float32)).to(device)
            boxes = transform.apply_boxes_torch(whole, size)
        return coords, signs, boxes


def _alike(prompts: Sequence[Asked]) -> Sequence[Asked]:
    """The leading prompts of the shape of the first: only these form one batch."""
    wanted = _shape(prompts[0])
    for number, prompt in enumerate(prompts):
        if _shape(prompt) != wanted:
            return prompts[:number]
    return prompts


def _shape(prompt: Asked) -> tuple[int, bool]:
    """Number of points, -1 for none at all, and whether there is a box."""
    return (-1 if prompt.points is None else len(prompt.points), prompt.box is not None)
