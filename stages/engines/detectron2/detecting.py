"""A trained detectron2 network that looks at images: what it detects, and what it sees in a box.

Written for detectron2 0.6; see `engine`.
"""

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from detectron2.data import transforms as T
from detectron2.structures import Boxes
from torch import nn

from stages.engines.detectron2.config import config_of
from stages.engines.detectron2.samples import in_order, to_image
from stages.engines.detectron2.users import stock_network
from stages.engines.results import results_of
from stages.learning.model_file import load_model, of_header, put_weights
from stages.photographs.reading import photograph_of_entry
from stages.settings.train import Train

LOGGERS = ("detectron2", "fvcore")


def quiet_loggers() -> None:
    """Warnings of detectron2 go to stderr, the rest nowhere.

    Without a handler it would print to stdout. Exceptions are left out: they are raised as well.
    """
    for logger in map(logging.getLogger, LOGGERS):
        handler = logging.StreamHandler(sys.stderr)
        handler.setLevel(logging.WARNING)
        handler.addFilter(lambda record: not record.exc_info)
        logger.handlers = [handler]
        logger.setLevel(logging.INFO)  # above that, detectron2 would set it up anew
        logger.propagate = False


def detections(
    network: Any,
    settings: Train,
    images: Sequence[Mapping[str, Any]],
    *,
    image_folder: Path,
    ids: Sequence[int],
) -> Iterator[list[dict[str, Any]]]:
    """Yield the COCO results of a network in eval mode; class k is category ids[k]."""
    for image in images:
        yield seen(network, settings, image["id"], photograph_of_entry(image_folder, image), ids)


def seen(
    network: Any, settings: Train, image_id: int, pixels: np.ndarray, ids: Sequence[int]
) -> list[dict[str, Any]]:
    """The COCO results of one image, (height, width, 3) uint8 RGB."""
    with torch.inference_mode():
        found = network([_input_of(network, settings, pixels)])[0]["instances"]
    return results_of(
        image_id,
        found.pred_boxes.tensor.cpu().numpy(),
        found.pred_classes.cpu().numpy() + 1,  # the background is 0 for all engines
        found.scores.cpu().numpy(),
        found.pred_masks.cpu().numpy(),
        ids,
    )


def _input_of(network: Any, settings: Train, pixels: np.ndarray) -> dict[str, Any]:
    """An image as the network takes it, resized for inference."""
    resize = T.ResizeShortestEdge(settings.test_side, settings.long_side)
    ordered = in_order(pixels, network.input_format)
    resized = to_image(resize.get_transform(ordered).apply_image(ordered))
    return {"image": resized, "height": pixels.shape[0], "width": pixels.shape[1]}


class Detectron2Detector:
    """A trained network that looks at one image after the other; see `engine.Detector`."""

    def __init__(self, settings: Train, checkpoint: Path, device: torch.device):
        self.settings = settings
        self.network, self.category_ids = load_detector(settings, checkpoint, device)

    def results(self, image_id: int, pixels: np.ndarray) -> list[dict[str, Any]]:
        """COCO results of an image."""
        return seen(self.network, self.settings, image_id, pixels, self.category_ids)

    def probabilities(self, pixels: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """(n, classes) float32: how likely each class is in each box.

        Raises
        ------
        ValueError : the network has several box heads behind each other, as a cascade has.
        """
        heads = self.network.roi_heads
        if not isinstance(heads.box_head, nn.Module) or isinstance(heads.box_head, nn.ModuleList):
            raise ValueError(
                "train.config: the network judges a box in several steps (a cascade), and predict "
                "asks one head what is in a label's box. Name a network with one box head."
            )
        given = _input_of(self.network, self.settings, pixels)
        with torch.inference_mode():
            images = self.network.preprocess_image([given])
            height, width = images.image_sizes[0]
            factors = np.array([width / pixels.shape[1], height / pixels.shape[0]] * 2)
            rois = torch.from_numpy((boxes * factors).astype(np.float32)).to(images.tensor.device)
            maps = self.network.backbone(images.tensor)
            pooled = heads.box_pooler([maps[name] for name in heads.box_in_features], [Boxes(rois)])
            logits, _ = heads.box_predictor(heads.box_head(pooled))
            found: np.ndarray = (
                logits.softmax(dim=1)[:, :-1].cpu().numpy()
            )  # the last is background
        return found


def opened_detector(settings: Train, checkpoint: Path, device: torch.device) -> Detectron2Detector:
    """The network that `train` wrote, ready to look; see `engine.Engine`."""
    return Detectron2Detector(settings, checkpoint, device)


def load_detector(settings: Train, checkpoint: Path, device: torch.device) -> tuple[Any, list[int]]:
    """The trained network, ready to predict, and the category ids of its labels 1, 2, ...

    Raises
    ------
    ValueError : the file is missing, or no model file.
    """
    quiet_loggers()
    state, header = load_model(checkpoint)
    category_ids = [category["id"] for category in of_header(header, "categories", checkpoint)]
    network = stock_network(config_of(settings, len(category_ids)), device)
    put_weights(network, state, checkpoint)
    return network.eval(), category_ids
