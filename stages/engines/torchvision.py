"""torchvision's Mask R-CNN behind the interface of all engines: `train`, `predict`, a detector."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stages.engines.best import Validation, watch_of
from stages.engines.mask_rcnn import build_mask_rcnn, description_of
from stages.engines.recipe import start_seed, train_network
from stages.engines.results import results_of
from stages.engines.step_reader import StepReader
from stages.engines.stock import StockModel
from stages.engines.training_images import Sample, StepSamples, to_tensor
from stages.engines.training_labels import Labels
from stages.learning.model_file import load_model, of_header, put_weights
from stages.photographs.reading import photograph_of_entry
from stages.runtime.processes import ALONE, Team
from stages.settings.train import Train

PACKAGES = ("numpy", "pycocotools", "torch", "torchvision")
BUILT = ()
MASK_THRESHOLD = 0.5  # of the mask's probability, stock


def check(settings: Train) -> None:
    """Every setting can be served: this engine is the reference of the others."""


def open_detector(settings: Train, classes: int, device: torch.device, *, seed: int) -> nn.Module:
    """The network with its first weights, which depend on `seed` alone."""
    torch.manual_seed(start_seed(seed))
    model: nn.Module = build_mask_rcnn(settings, classes).to(device)
    return model


def train(
    settings: Train,
    labels: Labels,
    out: Path,
    *,
    image_folder: Path,
    device: torch.device,
    seed: int,
    header: Mapping[str, Any],
    team: Team = ALONE,
    validation: Validation | None = None,
    events: Path | None = None,
) -> str:
    """Train on `labels` and write the weights to `out`; see `engine.Engine`.

    A training that was killed goes on from `checkpoint.pt` beside `out`.
    """
    model = open_detector(settings, len(labels.categories), device, seed=seed)
    ids = [category["id"] for category in labels.categories]
    watch = watch_of(validation, model, detections, settings, folder=out.parent, ids=ids)
    return train_network(
        model,
        StepReader(image_folder, labels, settings, seed, team),
        lambda batch: losses_of(model, batch),
        settings,
        out=out,
        seed=seed,
        header=header,
        team=team,
        watch=watch,
        events=events,
    )


def losses_of(model: Any, batch: StepSamples) -> tuple[dict[str, Tensor], dict[str, float]]:
    """The losses of a step, and the shares of dropped RoIs with roi_drop."""
    device = next(model.parameters()).device
    heads: Any = model.roi_heads
    heads.step = batch.step
    model.transform.min_size = (batch.side,)
    images = [sample.pixels.to(device) for sample in batch.samples]
    losses = model(images, [target_of(sample, device) for sample in batch.samples])
    return losses, heads.dropped if heads.drop.enabled else {}


def target_of(sample: Sample, device: torch.device) -> dict[str, Tensor]:
    """A sample's objects as torchvision takes them; keys that are not its own pass through.

    masks : (n + k * n, h, w), the k blocks of extra masks behind the masks, so that torchvision's
    transform resizes them too; behind these, where the labels have any, the n of ignored pixels.
    ignored : (n,) bool, which objects have ignored pixels; only where the labels have any.
    """
    names = ("boxes", "labels", "mask_weight", "extra_valid")
    blocks = sample.masks, sample.extra_masks.flatten(0, 1), sample.ignore_masks.flatten(0, 1)
    target = {name: getattr(sample, name).to(device) for name in names}
    if len(sample.ignore_masks):
        target["ignored"] = sample.ignore_masks[0].flatten(1).any(dim=1).to(device)
    return {**target, "masks": torch.cat(blocks).to(device)}


def predict(
    settings: Train,
    checkpoint: Path,
    images: Sequence[Mapping[str, Any]],
    *,
    image_folder: Path,
    device: torch.device,
) -> Iterator[list[dict[str, Any]]]:
    """The COCO results of each image, one image after the other; see `engine.Engine`."""
    model, category_ids = load_detector(settings, checkpoint, device)
    return detections(model, settings, images, image_folder=image_folder, ids=category_ids)


def detections(
    model: Any,
    settings: Train,
    images: Sequence[Mapping[str, Any]],
    *,
    image_folder: Path,
    ids: Sequence[int],
) -> Iterator[list[dict[str, Any]]]:
    """Yield the COCO results of a network in eval mode; label k is category ids[k - 1]."""
    for image in images:
        yield seen(model, settings, image["id"], photograph_of_entry(image_folder, image), ids)


def seen(
    model: Any, settings: Train, image_id: int, pixels: np.ndarray, ids: Sequence[int]
) -> list[dict[str, Any]]:
    """The COCO results of one image, (height, width, 3) uint8 RGB."""
    device = next(model.parameters()).device
    model.transform.min_size = (settings.test_side,)
    with torch.inference_mode():
        found = model([to_tensor(pixels).to(device)])[0]
    arrays = {name: value.cpu().numpy() for name, value in found.items()}
    masks = arrays["masks"][:, 0] > MASK_THRESHOLD
    return results_of(image_id, arrays["boxes"], arrays["labels"], arrays["scores"], masks, ids)


class TorchvisionDetector:
    """A trained network that looks at one image after the other; see `engine.Detector`."""

    def __init__(self, settings: Train, checkpoint: Path, device: torch.device):
        self.settings = settings
        self.model, self.category_ids = load_detector(settings, checkpoint, device)

    def results(self, image_id: int, pixels: np.ndarray) -> list[dict[str, Any]]:
        """COCO results of an image."""
        return seen(self.model, self.settings, image_id, pixels, self.category_ids)

    def probabilities(self, pixels: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """(n, classes) float32: how likely each class is in each box."""
        model: Any = self.model
        device = next(model.parameters()).device
        model.transform.min_size = (self.settings.test_side,)
        with torch.inference_mode():
            images, _ = model.transform([to_tensor(pixels).to(device)])
            height, width = images.image_sizes[0]
            factors = np.array([width / pixels.shape[1], height / pixels.shape[0]] * 2)
            rois = torch.from_numpy((boxes * factors).astype(np.float32)).to(device)
            heads = model.roi_heads
            pooled = heads.box_roi_pool(model.backbone(images.tensors), [rois], images.image_sizes)
            logits, _ = heads.box_predictor(heads.box_head(pooled))
            found: np.ndarray = logits.softmax(dim=1)[:, 1:].cpu().numpy()  # 0 is background
        return found


def opened_detector(settings: Train, checkpoint: Path, device: torch.device) -> TorchvisionDetector:
    """The network that `train` wrote, ready to look; see `engine.Engine`."""
    return TorchvisionDetector(settings, checkpoint, device)


def load_detector(
    settings: Train, checkpoint: Path, device: torch.device
) -> tuple[nn.Module, list[int]]:
    """The trained network, ready to predict, and the category ids of its labels 1, 2, ...

    Raises
    ------
    ValueError : the file is missing, or no model file.
    """
    state, header = load_model(checkpoint)
    category_ids = [category["id"] for category in of_header(header, "categories", checkpoint)]
    model = build_mask_rcnn(settings.model_copy(update={"weights": None}), len(category_ids))
    put_weights(model, state, checkpoint)
    return model.to(device).eval(), category_ids


def stock_model(settings: Train, checkpoint: Path) -> StockModel:
    """What torchvision alone builds and loads; see `engine.Engine`.

    The weights are a state dict of its MaskRCNN; the configuration is JSON, which YAML contains.
    """
    state, header = load_model(checkpoint)
    categories = of_header(header, "categories", checkpoint)
    classes = [category["name"] for category in categories]
    ids = {"category_ids": [category["id"] for category in categories]}
    text = json.dumps({**description_of(settings, classes), **ids}, indent=1)
    return StockModel(state, text + "\n")
