"""torchvision's Mask R-CNN behind the interface of all engines: `train` and `predict`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stages.engines.labels import Batch, Labels, Sample, StepReader, to_tensor
from stages.engines.mask_rcnn import build_mask_rcnn
from stages.files.images import image_path, read_rgb
from stages.geometry.boxes import xyxy_to_xywh
from stages.geometry.masks import masks_to_rles
from stages.learning.trainer import fit
from stages.settings.train import Train

PACKAGES = ("numpy", "pycocotools", "torch", "torchvision")
START_PURPOSE, STEP_PURPOSE = 5, 6  # keep these random numbers apart from those of other stages
MASK_THRESHOLD = 0.5  # of the mask's probability, stock


def open_model(settings: Train, classes: int, device: torch.device, *, seed: int) -> nn.Module:
    """The network with its first weights, which depend on `seed` alone."""
    torch.manual_seed(_number(seed, START_PURPOSE))
    model: nn.Module = build_mask_rcnn(settings, classes).to(device)
    return model


def train(
    model: nn.Module,
    labels: Labels,
    image_folder: Path,
    settings: Train,
    *,
    folder: Path,
    seed: int,
) -> str:
    """Train the model, going on from the checkpoint in `folder` where there is one.

    Returns
    -------
    The log, one JSON object per step and line.

    Raises
    ------
    ValueError : the loss is not finite (names the images), or an image cannot be read.
    """
    device = next(model.parameters()).device

    def loss_of(batch: Batch) -> tuple[Tensor, dict[str, float]]:
        torch.manual_seed(_number(seed, STEP_PURPOSE, batch.step))  # anchors and RoIs are drawn
        images = [sample.pixels.to(device) for sample in batch.samples]
        losses = model(images, [target_of(sample, device) for sample in batch.samples])
        total = torch.stack(list(losses.values())).sum()
        numbers = {name: value.item() for name, value in losses.items()}
        return total, {**numbers, "images": len(images)}

    return fit(
        model,
        StepReader(image_folder, labels, settings, seed),
        loss_of,
        name="train",
        steps=settings.iterations,
        settings=settings,
        folder=folder,
        optimizer=optimizer_of(model, settings),
        line_every=settings.log_every,
    )


def optimizer_of(model: nn.Module, settings: Train) -> torch.optim.Optimizer:
    """AdamW, or SGD with momentum as in torchvision's own recipe."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    if settings.optimizer == "sgd":
        return torch.optim.SGD(
            weights, settings.lr, settings.momentum, weight_decay=settings.weight_decay
        )
    return torch.optim.AdamW(weights, settings.lr, weight_decay=settings.weight_decay)


def target_of(sample: Sample, device: torch.device) -> dict[str, Tensor]:
    """A sample's objects as torchvision takes them; `mask_weight` passes through its transform."""
    names = ("boxes", "labels", "masks", "mask_weight")
    return {name: getattr(sample, name).to(device) for name in names}


def _number(*parts: int) -> int:
    """A seed for torch from several numbers."""
    return int(np.random.SeedSequence(list(parts)).generate_state(1)[0])


def predict(
    model: nn.Module,
    images: Sequence[Mapping[str, Any]],
    image_folder: Path,
    category_ids: Sequence[int],
) -> Iterator[list[dict[str, Any]]]:
    """Yield the COCO results of each image, one image after the other.

    Parameters
    ----------
    images : COCO entries with id and file_name.
    category_ids : of labels 1, 2, ... of the network.
    """
    device = next(model.parameters()).device
    model.eval()
    for image in images:
        pixels = to_tensor(read_rgb(image_path(image_folder, image["file_name"])))
        with torch.inference_mode():
            found = model([pixels.to(device)])[0]
        yield results_of(image["id"], found, category_ids)


def results_of(
    image_id: int, found: Mapping[str, Tensor], category_ids: Sequence[int]
) -> list[dict[str, Any]]:
    """COCO results of one image: bbox xywh px, mask as RLE with string counts.

    Parameters
    ----------
    found : boxes (n, 4) xyxy px, labels (n,) from 1, scores (n,), masks (n, 1, h, w) in [0, 1].
    """
    boxes = xyxy_to_xywh(found["boxes"].cpu().numpy().astype(np.float64))
    masks = (found["masks"][:, 0] > MASK_THRESHOLD).cpu().numpy()
    rles = masks_to_rles(masks)
    return [
        {
            "image_id": image_id,
            "category_id": category_ids[label - 1],
            "bbox": [round(value, 2) for value in box],
            "score": round(score, 6),
            "segmentation": {"size": rle["size"], "counts": rle["counts"].decode("ascii")},
        }
        for box, label, score, rle in zip(
            boxes.tolist(), found["labels"].tolist(), found["scores"].tolist(), rles, strict=True
        )
    ]
