"""detectron2's Mask R-CNN behind the interface of all engines: `train` and `predict`.

Written for detectron2 0.6, the version of conda-forge, and runs on later ones. It is imported by
`engine.open_engine` alone, where the config asks for it: detectron2 is on no package index.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import detectron2
import torch
from detectron2.config import CfgNode
from detectron2.utils.events import EventStorage
from torch import Tensor, nn

from stages.engines.best import Validation, watch_of
from stages.engines.detectron2.config import build_network, check_widths, config_of
from stages.engines.detectron2.detecting import (
    Detectron2Detector,
    detections,
    load_detector,
    quiet_loggers,
)
from stages.engines.detectron2.hooking import add_hooks, checked_heads, hooks_told_of
from stages.engines.detectron2.samples import (
    MappedReader,
    MappedSamples,
    SampleMapper,
)
from stages.engines.detectron2.users import load_matching, text_of
from stages.engines.detectron2.weights import load_backbone
from stages.engines.hooks import DROPPED
from stages.engines.recipe import start_seed, train_network
from stages.engines.step_reader import StepReader
from stages.engines.stock import DETECTRON2_NAMES, WEIGHTS, StockModel
from stages.engines.training_labels import Labels
from stages.learning.model_file import load_model
from stages.runtime.processes import ALONE, Team
from stages.runtime.program import say
from stages.settings.train import Train

PACKAGES = ("detectron2", "fvcore", "numpy", "pillow", "pycocotools", "torch", "torchvision")
BUILT = ("detectron2",)  # main and the tag of 2021 are both 0.6
LOG_NAMES = {own: name for name, own in DETECTRON2_NAMES.items()}


def check(settings: Train) -> None:
    """Raise ValueError for settings that this engine cannot serve; reads a user's own file."""
    if settings.config:
        quiet_loggers()
        text_of(config_of(settings, 1))
    else:
        check_widths(settings)


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

    A training that was killed goes on from `checkpoint.pt` beside `out`. The header also gets
    detectron2's version and configuration.
    """
    quiet_loggers()
    network, config = open_detector(settings, len(labels.categories), device, seed=seed)
    facts = {"detectron2": detectron2.__version__, "config": text_of(config)}
    ids = [category["id"] for category in labels.categories]
    watch = watch_of(validation, network, detections, settings, folder=out.parent, ids=ids)
    return train_network(
        network,
        MappedReader(
            StepReader(image_folder, labels, settings, seed, team),
            SampleMapper(settings, channels=network.input_format),
        ),
        lambda inputs: losses_of(network, inputs),
        settings,
        out=out,
        seed=seed,
        header={**header, **facts},
        team=team,
        watch=watch,
        events=events,
    )


def losses_of(
    network: nn.Module, inputs: MappedSamples
) -> tuple[dict[str, Tensor], dict[str, float]]:
    """The losses of a step by the names of the log, and the shares of dropped RoIs with roi_drop.

    Raises
    ------
    FloatingPointError : the boxes that the RPN proposes are not finite.
    """
    with EventStorage(inputs.step) as storage:  # the heads ask it for the step
        losses = network(inputs.images)
    told = storage.latest()  # name to (value, step)
    dropped = {name: told[name][0] for name in DROPPED if name in told}
    return {LOG_NAMES.get(name, name): loss for name, loss in losses.items()}, dropped


def open_detector(
    settings: Train, classes: int, device: torch.device, *, seed: int
) -> tuple[Any, Any]:
    """The network with its first weights, which depend on `seed` alone, and its configuration.

    Raises
    ------
    ValueError : the weight file is missing, has another checksum, or is of another network.
    """
    config = config_of(settings, classes)
    torch.manual_seed(start_seed(seed))
    network = build_network(config, device, own=not settings.config)
    if settings.config:
        say("train", hooks_told_of(checked_heads(network, settings)))
    if settings.weights:
        _load_weights(network, settings)
    return add_hooks(network, settings), config


def _load_weights(network: Any, settings: Train) -> None:
    if settings.config:
        load_matching(network, settings)
    else:
        load_backbone(network.backbone.bottom_up, settings)


def predict(
    settings: Train,
    checkpoint: Path,
    images: Sequence[Mapping[str, Any]],
    *,
    image_folder: Path,
    device: torch.device,
) -> Iterator[list[dict[str, Any]]]:
    """The COCO results of each image, one image after the other; see `engine.Engine`."""
    network, category_ids = load_detector(settings, checkpoint, device)
    return detections(network, settings, images, image_folder=image_folder, ids=category_ids)


def opened_detector(settings: Train, checkpoint: Path, device: torch.device) -> Detectron2Detector:
    """The network that `train` wrote, ready to look; see `engine.Engine`."""
    return Detectron2Detector(settings, checkpoint, device)


def stock_model(settings: Train, checkpoint: Path) -> StockModel:
    """What detectron2's DefaultPredictor opens; see `engine.Engine`.

    The weights are `{"model": state}`, with the classes beside it; the configuration is YAML, of a
    LazyConfig its node `model`, for `LazyConfig.load` and `instantiate`.
    """
    state, header = load_model(checkpoint)
    config = config_of(settings, len(header["categories"]))
    if isinstance(config, CfgNode):
        config.MODEL.WEIGHTS = WEIGHTS
    return StockModel({"model": state, "categories": header["categories"]}, text_of(config))
