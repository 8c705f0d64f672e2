"""One training for the detectors of all engines: seeds, loop, log, weights.

The loop is `stages.learning.trainer.fit`, so that a killed training ends with the same weights.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stages.engines.best import Watch, best_of, load_best
from stages.engines.hooks import DropWatch
from stages.learning.model_file import save_model
from stages.learning.schedule import optimizer_of
from stages.learning.trainer import LossOf, fit
from stages.runtime.processes import ALONE, Team
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
    team: Team = ALONE,
    watch: Watch | None = None,
    events: Path | None = None,
) -> str:
    """Train `network` and write its weights to `out`; see `engine.Engine.train`.

    Parameters
    ----------
    read : step to a batch with `step`, `image_ids`, `pasted` and `parts`; may run in another
        process.
    losses_of : batch to its losses by the names of the log, and to the shares of dropped RoIs
        (hooks.DROPPED; empty without roi_drop). A FloatingPointError counts as a loss of NaN.
    watch : looks at validation images while it trains; None: nobody does.
    events : folder of TensorBoard's event files; None: none are written.

    Returns
    -------
    The log, one JSON object per step and line.
    """
    log = fit(
        network,
        read,
        _loss_of(network, losses_of, settings, seed),
        name="train",
        steps=settings.iterations,
        settings=settings,
        folder=out.parent,
        optimizer=optimizer_of(
            network, settings, momentum=settings.momentum, norm_decay=settings.norm_decay
        ),
        team=team,
        after=watch,
        events=events,
    )
    if team.leads:
        kept = _kept(network, settings, log, out.parent)
        save_model(out, network, {**header, **kept})
    return log


def _loss_of(network: nn.Module, losses_of: LossesOf, settings: Train, seed: int) -> LossOf:
    drops = DropWatch(settings.roi_drop, settings.log_every)
    mixed = partial(_precision, next(network.parameters()), settings)

    def loss_of(batch: Any) -> tuple[Tensor, dict[str, float]]:
        torch.manual_seed(step_seed(seed, batch.step))  # anchors and RoIs are drawn
        total, numbers = accumulated(losses_of, batch, settings.accumulate, mixed)
        if not numbers:
            return total, {}
        pasted = {"pasted": batch.pasted} if settings.copy_paste.enabled else {}
        drops.see(batch.step, numbers)
        return total, {**numbers, **pasted, "images": len(batch.image_ids)}

    return loss_of


def _precision(like: Tensor, settings: Train) -> torch.autocast:
    return torch.autocast(
        like.device.type, torch.bfloat16, enabled=settings.precision == "bfloat16"
    )


def _kept(network: nn.Module, settings: Train, log: str, folder: Path) -> dict[str, int]:
    """Give the network the weights that are kept; of which step, where it is not the last."""
    if settings.keep == "last":
        return {}
    load_best(network, folder)
    return {"kept_step": best_of(log.splitlines())[0]}


def accumulated(
    losses_of: LossesOf, batch: Any, number: int, mixed: Callable[[], Any]
) -> tuple[Tensor, dict[str, float]]:
    """The loss of a batch that goes through the network in parts; all but the last leave gradients.

    Parameters
    ----------
    number : of parts, at most; each counts by its images. mixed : the precision of the forward.

    Returns
    -------
    The whole loss, with the graph of the last part alone, and the means of its numbers; NaN and
    nothing after a FloatingPointError.
    """
    before, means = 0.0, Counter[str]()
    parts = batch.parts(number)
    for part in parts:
        share = len(part.image_ids) / len(batch.image_ids)
        try:
            with mixed():
                losses, dropped = losses_of(part)
        except FloatingPointError:  # detectron2 looks at its boxes before there is a loss
            return torch.tensor(math.nan), {}
        loss = _total(losses) * share
        numbers = {**{name: value.item() for name, value in losses.items()}, **dropped}
        means.update({name: value * share for name, value in numbers.items()})
        if part is not parts[-1]:
            torch.autograd.backward(loss)
            before += loss.item()
    return loss + before, dict(means)


def _total(losses: Mapping[str, Tensor]) -> Tensor:
    return torch.stack([loss.float() for loss in losses.values()]).sum()


def start_seed(seed: int) -> int:
    """For torch, before the first weights are drawn."""
    return _number(seed, Purpose.START)


def step_seed(seed: int, step: int) -> int:
    """For torch, before a step draws its anchors and RoIs; a function of the step alone."""
    return _number(seed, Purpose.STEP, step)


def _number(*parts: int) -> int:
    return int(np.random.SeedSequence(list(parts)).generate_state(1)[0])
