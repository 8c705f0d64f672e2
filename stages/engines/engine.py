"""The door to the engines: the one that the config names, or a sentence why it cannot be had.

Standard library alone, since the Snakefile asks for the tables.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from stages.runtime.doors import Method, opened

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import torch

    from stages.engines.best import Validation
    from stages.engines.stock import StockModel
    from stages.engines.training_labels import Labels
    from stages.runtime.processes import Team
    from stages.settings.train import Train

ENGINES = {  # by train.engine, the name of the package
    "torchvision": Method("stages.engines.torchvision"),
    "detectron2": Method("stages.engines.detectron2.engine"),
}
ENVIRONMENTS = {  # of conda, by engine, as seen from the rules
    "torchvision": "../../envs/stages.yaml",
    "detectron2": "../../envs/detectron2.yaml",
}
INSTALL = "https://detectron2.readthedocs.io/en/latest/tutorials/install.html"


class Detector(Protocol):
    """A trained network that looks at one image after the other."""

    @property
    def category_ids(self) -> Sequence[int]:
        """Of its classes, in the order of `probabilities`."""

    def results(self, image_id: int, pixels: "np.ndarray") -> list[dict[str, Any]]:
        """COCO results of an image, (height, width, 3) uint8 RGB."""

    def probabilities(self, pixels: "np.ndarray", boxes: "np.ndarray") -> "np.ndarray":
        """(n, classes) float32: how likely each class is in each box.

        Parameters
        ----------
        boxes : (n, 4) xyxy px of the image.

        Raises
        ------
        ValueError : the network has no head that judges a box.
        """


class Engine(Protocol):
    """A library that trains Mask R-CNN; its module in `stages.engines` has these names.

    packages : names of the packages whose versions decide its results.
    """

    @property
    def PACKAGES(self) -> tuple[str, ...]:
        """Distribution names, for provenance."""

    @property
    def BUILT(self) -> tuple[str, ...]:
        """Those that people build from any commit, so that their version tells too little."""

    def check(self, settings: "Train") -> None:
        """Raise ValueError for settings that this engine cannot serve, before anything is read."""

    def train(
        self,
        settings: "Train",
        labels: "Labels",
        out: "Path",
        *,
        image_folder: "Path",
        device: "torch.device",
        seed: int,
        header: Mapping[str, Any],
        team: "Team",
        validation: "Validation | None",
        events: "Path | None",
    ) -> str:
        """Train on `labels` and write the weights to `out`, as `stages.learning.trainer` does.

        Work in progress lies beside `out`; a training that was killed goes on from there, and ends
        with the same weights (bit by bit on the CPU).

        Parameters
        ----------
        team : the processes that train together; the first of them writes.
        validation : what is looked at while it trains; None: nothing.
        events : folder of TensorBoard's event files; None: none are written.

        Returns
        -------
        The log, one JSON object per step and line: step (from 1), lr, loss and its parts, images,
        images_per_second; dropped and dropped_objects (shares of RoIs) with roi_drop; pasted
        (instances) with copy_paste; val_ap where it was looked at validation images.

        Raises
        ------
        ValueError : the loss is not finite (names the images), or an image cannot be read.
        """

    def predict(
        self,
        settings: "Train",
        checkpoint: "Path",
        images: Sequence[Mapping[str, Any]],
        *,
        image_folder: "Path",
        device: "torch.device",
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield the COCO results of each image in turn, with the weights that `train` wrote.

        Parameters
        ----------
        images : COCO entries with id and file_name.
        """

    def opened_detector(
        self, settings: "Train", checkpoint: "Path", device: "torch.device"
    ) -> Detector:
        """The network that `train` wrote, ready to look; raises ValueError for no model file."""

    def stock_model(self, settings: "Train", checkpoint: "Path") -> "StockModel":
        """The weights that `train` wrote, as the library opens them without us."""


def is_importable(engine: str) -> bool:
    """Whether the library of an engine is installed here."""
    return find_spec(engine) is not None


def open_engine(settings: "Train") -> Engine:
    """The engine of the config.

    Raises
    ------
    ValueError : its library is not installed, or it cannot serve these settings.
    """
    if not is_importable(settings.engine):
        raise ValueError(
            f"train.engine is {settings.engine}, but {settings.engine} is not installed. Run "
            f"snakemake with --use-conda, install it ({INSTALL}), or set train.engine: torchvision."
        )
    engine: Engine = opened(ENGINES[settings.engine].module)
    engine.check(settings)
    return engine
