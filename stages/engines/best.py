"""Looking at validation images while a detector is trained, and keeping its best weights.

What is chosen on these images is flattered on them: whoever keeps the best needs a third set to
report on. Off by default; without it a training never sees the truth of validation images.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from stages.learning.model_file import to_bytes
from stages.metrics.coco_ap import coco_ap
from stages.metrics.scorers import AUTO
from stages.runtime.atomic import write_bytes
from stages.runtime.weights import finite_weights
from stages.settings.train import Train

VAL_AP = "val_ap"  # in the log: mask AP, or box AP where the truth has no masks
BEST = "best.pt"  # in the folder of the work in progress
Results = Iterable[list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Validation:
    """Validation images, and their truth as COCO. every : steps between two looks."""

    images: Sequence[Mapping[str, Any]]
    image_folder: Path
    truth: Mapping[str, Any]
    every: int

    def average_precision(self, results: Results) -> float:
        """AP of results image by image, in [0, 1]; of masks, where the truth has them."""
        whole = [result for found in results for result in found]
        masked = all("segmentation" in entry for entry in self.truth["annotations"])
        kind = "segm" if masked else "bbox"
        return coco_ap(self.truth, whole, kind=kind, backend=AUTO)["AP"] or 0.0


@dataclass(frozen=True, slots=True)
class Watch:
    """Scores a network every so many steps and keeps its best weights in `folder`.

    predicted : gives the results of the network on the validation images. steps : of the training.
    """

    validation: Validation
    network: nn.Module
    predicted: Callable[[], Results]
    folder: Path
    steps: int

    def __call__(self, step: int, log: Sequence[str]) -> dict[str, float]:
        """What the log says of `step`, counted from 1; nothing where it is not looked at.

        The best so far is read from the log, not from the file: a training that was killed after
        it wrote a better one goes on from an earlier step, and comes to the same file again.
        """
        if step % self.validation.every and step != self.steps:
            return {}
        self.network.eval()
        found = self.validation.average_precision(self.predicted())
        self.network.train()
        if found > best_of(log)[1]:
            write_bytes(self.folder / BEST, to_bytes(self.network.state_dict()))
        return {VAL_AP: found}


def watch_of(
    validation: Validation | None,
    network: nn.Module,
    detections: Callable[..., Results],
    settings: Train,
    *,
    folder: Path,
    ids: Sequence[int],
) -> Watch | None:
    """Who looks at the validation images with an engine's `detections`; None: nobody."""
    if validation is None:
        return None
    images, where = validation.images, validation.image_folder
    look = partial(detections, network, settings, images, image_folder=where, ids=ids)
    return Watch(validation, network, look, folder, settings.iterations)


def best_of(log: Sequence[str]) -> tuple[int, float]:
    """Step, from 1, and AP of the best look in the lines of a log, the first of equals; (0, -1)."""
    looks = [entry for entry in map(json.loads, log) if VAL_AP in entry]
    best = max(looks, key=lambda entry: float(entry[VAL_AP]), default={"step": 0, VAL_AP: -1.0})
    return int(best["step"]), float(best[VAL_AP])


def load_best(network: nn.Module, folder: Path) -> None:
    """Give the network the best weights that were kept."""
    try:
        network.load_state_dict(finite_weights(folder / BEST))
    except Exception as error:  # torch raises many kinds for damaged files
        reason = (str(error).splitlines() or [type(error).__name__])[0].strip()
        raise ValueError(
            f"{folder / BEST}: the best weights are damaged ({reason}). Remove {folder} and run "
            "the same command again."
        ) from error
