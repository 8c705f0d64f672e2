"""Training that can be killed at any time and ends with the same weights (bit-equal on the CPU).

Everything random is a function of (seed, purpose, epoch or step, image id), so a checkpoint needs
nothing but the step, the weights and the optimiser.
"""

import copy
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from stages.learning.model_file import to_bytes
from stages.learning.schedule import Schedule, lr_share
from stages.learning.step_log import StepLog
from stages.runtime.atomic import write_bytes
from stages.runtime.processes import ALONE, Team, weight_of
from stages.runtime.program import say
from stages.runtime.randomness import Purpose, rng_of
from stages.runtime.weights import finite_weights

LossOf = Callable[[Any], tuple[Tensor, dict[str, float]]]
After = Callable[[int, Sequence[str]], Mapping[str, float]]


def images_of_step(
    image_ids: Sequence[int], step: int, settings: Schedule, *, seed: int
) -> list[tuple[int, bool]]:
    """The images of a step and whether each is mirrored; every epoch sees each image once."""
    per_epoch = math.ceil(len(image_ids) / settings.batch_images)
    epoch, place = divmod(step, per_epoch)
    order = rng_of(seed, Purpose.ORDER, epoch).permutation(len(image_ids))
    start = place * settings.batch_images
    chosen = [image_ids[i] for i in order[start : start + settings.batch_images]]
    return [(image, _flipped(image, epoch, settings.flip, seed)) for image in chosen]


def _flipped(image_id: int, epoch: int, chance: float, seed: int) -> bool:
    rng = rng_of(seed, Purpose.FLIP, epoch, image_id)
    return bool(rng.random() < chance)


class _Steps(Dataset[Any]):
    """The batches of steps `first` to the end, read by `read(step)`."""

    def __init__(self, read: Callable[[int], Any], first: int, steps: int):
        self.read, self.first, self.steps = read, first, steps

    def __len__(self) -> int:
        return self.steps - self.first

    def __getitem__(self, index: int) -> Any:
        return self.read(self.first + index)


def fit(
    network: nn.Module,
    read: Callable[[int], Any],
    loss_of: LossOf,
    *,
    name: str,
    steps: int,
    settings: Schedule,
    folder: Path,
    optimizer: torch.optim.Optimizer,
    team: Team = ALONE,
    after: After | None = None,
    events: Path | None = None,
) -> str:
    """Train `network`, going on from the checkpoint in `folder` where there is one.

    Parameters
    ----------
    read : step to what `loss_of` needs; may run in another process.
    loss_of : batch to loss and numbers for the log; "images" among them counts images.
    folder : of the work in progress; `checkpoint.pt` appears there.
    team : the processes that train together; the first of them writes.
    after : step from 1 and the log before it, to more numbers of the step; by the first process.
    events : folder of TensorBoard's event files; None: none are written.

    Returns
    -------
    The log, one JSON object per step and line.

    Raises
    ------
    ValueError : the loss or its gradient is not finite; names the step and its images.
    """
    step, lines = _resumed(network, optimizer, folder)
    told: dict[str, Any] = {"name": name, "steps": steps, "events": events}
    network.train()
    with StepLog(lines, **told, leads=team.leads) as log:
        for batch in batches(read, step, steps, settings.workers):
            plan: dict[str, Any] = {"settings": settings, "step": step, "steps": steps}
            entry = trained_step(network, optimizer, loss_of, batch, **plan, team=team)
            step += 1
            log.add({**entry, **(after(step, log.lines) if after and team.leads else {})})
            if step % settings.checkpoint_every == 0 and step < steps and team.leads:
                _save(network, optimizer, step, log.lines, folder)
    return "\n".join(log.lines) + "\n"


def batches(read: Callable[[int], Any], step: int, steps: int, workers: int) -> Iterator[Any]:
    """What `read` gives for `step` to `steps`, read ahead by `workers` processes."""
    dataset = _Steps(read, step, steps)
    return iter(DataLoader(dataset, batch_size=None, shuffle=False, num_workers=workers))


def trained_step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss_of: LossOf,
    batch: Any,
    *,
    settings: Schedule,
    step: int,
    steps: int,
    team: Team = ALONE,
) -> dict[str, float]:
    """Take one step, counted from 0, of `steps`; returns its entry of the log.

    Raises
    ------
    ValueError : the loss or its gradient is not finite; names the step and its images.
    """
    began = time.monotonic()
    rate = settings.lr * lr_share(step, steps, settings)
    numbers = _step(
        network, optimizer, loss_of, batch, rate=rate, settings=settings, step=step, team=team
    )
    return {"step": step + 1, "lr": rate, **numbers, **_speed(numbers, began)}


def _step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss_of: LossOf,
    batch: Any,
    *,
    rate: float,
    settings: Schedule,
    step: int,
    team: Team,
) -> dict[str, float]:
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)  # first: a loss may take its own gradient in parts
    loss, numbers = loss_of(batch) if _has_images(batch) else (torch.zeros(()), {})
    if not torch.isfinite(loss):
        _refuse(loss, "loss", _guilty(loss_of, batch), step)
    if loss.requires_grad:
        torch.autograd.backward(loss)
    if loss.requires_grad or team.size > 1:
        team.average(network.parameters(), weight_of(numbers))
        norm = nn.utils.clip_grad_norm_(network.parameters(), settings.clip_norm)
        if not torch.isfinite(norm):  # before it spoils the weights
            _refuse(norm, "gradient", getattr(batch, "step_ids", "unknown"), step)
        optimizer.step()
    return team.together({"loss": loss.item(), **numbers})


def _has_images(batch: Any) -> bool:
    """False for the slice of a process that has none in this step."""
    return bool(getattr(batch, "image_ids", True))


def _refuse(value: Tensor, name: str, images: Any, step: int) -> None:
    raise ValueError(
        f"step {step + 1}: the {name} is {value.item()}. Lower lr in the config, or look at "
        f"the images {images}."
    )


def _guilty(loss_of: LossOf, batch: Any) -> Any:
    """Ids of the images whose loss is not finite by itself; all of the step, where none is."""
    if not hasattr(batch, "singles"):
        return getattr(batch, "image_ids", "unknown")
    with torch.no_grad():
        alone = [(one.image_ids, loss_of(one)[0]) for one in batch.singles()]
    return [i for ids, loss in alone if not torch.isfinite(loss) for i in ids] or batch.image_ids


def _speed(numbers: dict[str, float], began: float) -> dict[str, float]:
    seconds = max(time.monotonic() - began, 1e-9)
    return {"images_per_second": round(numbers.get("images", 0) / seconds, 2)}


def _save(
    network: nn.Module, optimizer: torch.optim.Optimizer, step: int, log: list[str], folder: Path
) -> None:
    state = {"step": step, "network": network.state_dict(), "optimizer": optimizer.state_dict()}
    write_bytes(folder / "checkpoint.pt", to_bytes({**state, "log": log}))


def _resumed(
    network: nn.Module, optimizer: torch.optim.Optimizer, folder: Path
) -> tuple[int, list[str]]:
    """Step and log of the checkpoint; from the start, told, where it is damaged."""
    path = folder / "checkpoint.pt"
    if not path.exists():
        return 0, []
    fresh = copy.deepcopy((network.state_dict(), optimizer.state_dict()))
    try:
        state = finite_weights(path)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        step, log = int(state["step"]), [str(line) for line in state["log"]]
        if step != len(log) or not all(isinstance(json.loads(line), dict) for line in log):
            raise ValueError(f"{len(log)} lines of the log after {step} steps")
        return step, log
    except Exception as error:  # torch raises many kinds for damaged files and other shapes
        network.load_state_dict(fresh[0])
        optimizer.load_state_dict(fresh[1])
        reason = (str(error).splitlines() or [""])[0].strip() or type(error).__name__
        say("training", f"{path}: no whole checkpoint ({reason}), so the training starts anew.")
        return 0, []
