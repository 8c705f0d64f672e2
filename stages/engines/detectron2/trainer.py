"""detectron2's DefaultTrainer, with steps as every training of ours takes them.

Loop, hooks and resuming are detectron2's. Data, optimiser, learning rate and clipping are those of
`stages.learning.trainer`, so that both engines do the same work and a killed training ends with
the same weights. Checkpoints are written completely or not at all, and hold the log.
"""

import json
import math
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from detectron2.checkpoint import DetectionCheckpointer
from detectron2.config import CfgNode
from detectron2.engine import DefaultTrainer, HookBase
from detectron2.engine.hooks import PeriodicCheckpointer
from torch import Tensor, nn

from stages.engines.detectron2.samples import Inputs
from stages.engines.hooks import DROPPED, DropWatch
from stages.engines.recipe import optimizer_of
from stages.learning.trainer import batches, to_bytes, trained_step
from stages.runtime.atomic import write_bytes, write_text
from stages.runtime.program import say
from stages.runtime.progress import Progress
from stages.settings.train import Train

CHECKPOINTS_KEPT = 2
LOG_NAMES = {  # torchvision's names, which the logs of all engines have
    "loss_cls": "loss_classifier",
    "loss_rpn_cls": "loss_objectness",
    "loss_rpn_loc": "loss_rpn_box_reg",
}


class Trainer(DefaultTrainer):  # type: ignore[misc]
    """Trains `network`; `train()` goes on where the last checkpoint in OUTPUT_DIR was written.

    read : step to its inputs. seed_of : step to the seed of what is drawn in it.
    entry : of the log, of the last step.
    """

    def __init__(
        self,
        config: CfgNode,
        network: nn.Module,
        settings: Train,
        *,
        read: Callable[[int], Inputs],
        seed_of: Callable[[int], int],
    ):
        self._network, self._settings = network, settings
        self._read, self._seed_of = read, seed_of
        self.entry: dict[str, float] = {}
        super().__init__(config)
        self.checkpointer = WholeCheckpointer(network, config.OUTPUT_DIR, trainer=_weak(self))
        self.log = Log(settings)
        keeper = PeriodicCheckpointer(
            self.checkpointer, settings.checkpoint_every, max_to_keep=CHECKPOINTS_KEPT
        )
        keeper.recent_checkpoints = sorted(map(str, Path(config.OUTPUT_DIR).glob("*.pth")))
        self.register_hooks([self.log, keeper])  # the log before the checkpoint that holds it
        self.resume_or_load(resume=True)

    def build_model(self, config: CfgNode) -> nn.Module:
        """The network that was given."""
        return self._network

    def build_optimizer(self, config: CfgNode, model: nn.Module) -> torch.optim.Optimizer:
        """The optimiser of the settings."""
        return optimizer_of(model, self._settings)

    def build_lr_scheduler(self, config: CfgNode, optimizer: torch.optim.Optimizer) -> None:
        """None: each step sets the rate, so that it depends on nothing but the step."""

    def build_train_loader(self, config: CfgNode) -> "_Loader":
        """The batches of the steps that are left."""
        return _Loader(self)

    def build_hooks(self) -> list[HookBase]:
        """None of detectron2's own: they evaluate, and write files that nobody reads."""
        return []

    def batches(self) -> Iterator[Inputs]:
        """The inputs of the steps from `start_iter` on."""
        return batches(self._read, self.start_iter, self.max_iter, self._settings.workers)

    def before_train(self) -> None:
        """Open the data, now that the first step is known."""
        super().before_train()
        self._inputs = iter(self.data_loader)

    def run_step(self) -> None:
        """Take one step; its entry of the log is in `entry`."""
        self.entry = trained_step(
            self.model,
            self.optimizer,
            self._loss_of,
            next(self._inputs),
            settings=self._settings,
            step=self.iter,
            steps=self.max_iter,
        )

    def _loss_of(self, inputs: Inputs) -> tuple[Tensor, dict[str, float]]:
        # here, since opening the data draws a number too: anchors and RoIs are drawn from now on
        torch.manual_seed(self._seed_of(inputs.step))
        try:
            losses = self.model(inputs.images)
        except FloatingPointError:  # detectron2 looks at its boxes before there is a loss
            return torch.tensor(math.nan), {}
        numbers = {LOG_NAMES.get(name, name): loss.item() for name, loss in losses.items()}
        if self._settings.roi_drop.enabled:
            numbers |= {name: self.storage.history(name).latest() for name in DROPPED}
        if self._settings.copy_paste.enabled:
            numbers["pasted"] = inputs.pasted
        return torch.stack(list(losses.values())).sum(), {**numbers, "images": len(inputs.images)}

    def state_dict(self) -> dict[str, Any]:
        """Iteration, hooks and optimiser; 0.6 leaves the optimiser out."""
        state = {**super().state_dict(), "optimizer": self.optimizer.state_dict()}
        state.pop("_trainer", None)  # later versions have it there, with much else
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """What `state_dict` gave."""
        self.optimizer.load_state_dict(state.pop("optimizer"))
        super(DefaultTrainer, self).load_state_dict(state)


def _weak(trainer: Trainer) -> Any:
    """Trainer and checkpointer know each other, but do not own each other."""
    return weakref.proxy(trainer)


class _Loader:
    """Iterates over the trainer's batches, from its first step at the time of the first `next`.

    0.6 asks for the iterator before it has looked for a checkpoint.
    """

    def __init__(self, trainer: Trainer):
        self._trainer = _weak(trainer)

    def __iter__(self) -> Iterator[Inputs]:
        yield from self._trainer.batches()


class WholeCheckpointer(DetectionCheckpointer):  # type: ignore[misc]
    """detectron2's checkpointer, whose files are complete or absent, whenever it is killed."""

    def save(self, name: str, **more: Any) -> None:
        """Write network, trainer and `more` to `name`.pth, then the name to `last_checkpoint`."""
        states = {key: value.state_dict() for key, value in self.checkpointables.items()}
        data = {"model": self.model.state_dict(), **states, **more}
        write_bytes(Path(self.save_dir) / f"{name}.pth", to_bytes(data))
        self.tag_last_checkpoint(f"{name}.pth")

    def tag_last_checkpoint(self, name: str) -> None:
        """Write which checkpoint is the last."""
        write_text(Path(self.save_dir) / "last_checkpoint", name)

    def _load_file(self, path: str) -> dict[str, Any]:
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return {**saved, "matching_heuristics": False}


class Log(HookBase):  # type: ignore[misc]
    """Keeps the lines of the log and shows the progress; stands for detectron2's writers.

    lines : one JSON object per step. They lie in the checkpoint, so that a resumed training has
    those of the steps before it, and none of those that are done again.
    """

    def __init__(self, settings: Train):
        self.lines: list[str] = []
        self._settings = settings
        self._watch = DropWatch(settings.roi_drop, settings.log_every)

    def before_train(self) -> None:
        """Say where a resumed training goes on."""
        steps, every = self._settings.iterations, self._settings.log_every
        self._progress = Progress("train", steps, "steps", every=every)
        if self.trainer.start_iter:
            self._progress.skip(self.trainer.start_iter)
            say("train", f"resuming at step {self.trainer.start_iter}.")

    def after_step(self) -> None:
        """Keep the line of the step."""
        entry = self.trainer.entry
        self.lines.append(json.dumps(entry))
        self._watch.see(self.trainer.iter, entry)
        self._progress.step(f"loss {entry['loss']:.4f}")

    def state_dict(self) -> dict[str, Any]:
        """The lines so far."""
        return {"lines": list(self.lines)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The lines until the checkpoint."""
        self.lines = list(state["lines"])
