"""One training for the detectors of all engines: seeds, loop, log, weights.

The loop is `stages.learning.trainer.fit`, so that a killed training ends with the same weights.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stages.engines.hooks import DropWatch
from stages.learning.schedule import optimizer_of
from stages.learning.trainer import fit, save_model
from stages.runtime.randomness import Purpose
from stages.settings.train import Train

LossesOf = Callable[[Any], tuple[Mapping[str, Tensor], Mapping[str, float]]]


def train_network(
    network: nn.Module,
    read: Callable[[int], Any],
    losses_of: LossesOf,
    settings: Train,
    *,
    out: Path,
    seed: int,
    header: Mapping[str, Any],
) -> str:
    """Train `network` and write its weights to `out`; see `engine.Engine.train`.

    Parameters
    ----------
    read : step to a batch with `step`, `image_ids` and `pasted`; may run in another process.
    losses_of : batch to its losses by the names of the log, and to the shares of dropped RoIs
        (hooks.DROPPED; empty without roi_drop). A FloatingPointError counts as a loss of NaN.

    Returns
    -------
    The log, one JSON object per step and line.
    """
    watch = DropWatch(settings.roi_drop, settings.log_every)

    def loss_of(batch: Any) -> tuple[Tensor, dict[str, float]]:
        torch.manual_seed(step_seed(seed, batch.step))  # anchors and RoIs are drawn
        try:
            losses, dropped = losses_of(batch)
        except FloatingPointError:  # detectron2 looks at its boxes before there is a loss
            return torch.tensor(math.nan), {}
        pasted = {"pasted": batch.pasted} if settings.copy_paste.enabled else {}
        numbers = {**{name: loss.item() for name, loss in losses.items()}, **dropped, **pasted}
        watch.see(batch.step, numbers)
        return _total(losses), {**numbers, "images": len(batch.image_ids)}

    log = fit(
        network,
        read,
        loss_of,
        name="train",
        steps=settings.iterations,
        settings=settings,
        folder=out.parent,
        optimizer=optimizer_of(network, settings, momentum=settings.momentum),
        line_every=settings.log_every,
    )
    save_model(out, network, dict(header))
    return log


def _total(losses: Mapping[str, Tensor]) -> Tensor:
    return torch.stack(list(losses.values())).sum()


def start_seed(seed: int) -> int:
    """For torch, before the first weights are drawn."""
    return _number(seed, Purpose.START)


def step_seed(seed: int, step: int) -> int:
    """For torch, before a step draws its anchors and RoIs; a function of the step alone."""
    return _number(seed, Purpose.STEP, step)


def _number(*parts: int) -> int:
    return int(np.random.SeedSequence(list(parts)).generate_state(1)[0])
