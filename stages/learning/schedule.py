"""How long a training lasts, how large its steps are, and what takes them.

SAPNet, Sec. 4.1, and the authors' code: SGD with a linear warm-up and two falls of the rate. The
clues of WeakSAM are trained with a cosine (Sec. 3.1, after WeakTr), BoxCaseg with a polynomial.
"""

import math
from typing import Any, Protocol

import torch
from torch import nn

from stages.settings.training import Training

WARMUP_START = 0.001  # share of lr at the first step (authors' code)
MOMENTUM = 0.9  # of SGD: the authors' code
POLY_POWER = 0.9  # BoxCaseg, public code


class Schedule(Protocol):
    """What every training section of the config says about its steps."""

    @property
    def batch_images(self) -> int:
        """Images per step."""

    @property
    def flip(self) -> float:
        """Chance of a horizontal flip."""

    @property
    def optimizer(self) -> str:
        """Sgd or adamw."""

    @property
    def weight_decay(self) -> float:
        """Of the optimiser."""

    @property
    def lr(self) -> float:
        """Learning rate after the warm-up."""

    @property
    def warmup(self) -> int:
        """Steps of linear warm-up."""

    @property
    def milestones(self) -> tuple[float, ...]:
        """Shares of the steps after which lr is divided by 10."""

    @property
    def clip_norm(self) -> float:
        """L2 norm at which gradients are clipped."""

    @property
    def checkpoint_every(self) -> int:
        """Steps between checkpoints."""

    @property
    def workers(self) -> int:
        """Processes that read images ahead."""


def steps_of(images: int, settings: Training) -> int:
    """Number of steps of a whole training."""
    return settings.epochs * math.ceil(images / settings.batch_images)


def lr_share(step: int, steps: int, settings: Schedule) -> float:
    """Share of `lr` at a step: linear warm-up, then its decay, by milestones if not else."""
    if step < settings.warmup:
        return WARMUP_START + (1 - WARMUP_START) * step / settings.warmup
    decay = getattr(settings, "decay", "milestones")  # few sections have the choice
    if decay == "cosine":
        return 0.5 * (1 + math.cos(math.pi * (step - settings.warmup) / (steps - settings.warmup)))
    if decay == "poly":
        left = (steps - step) / (steps - settings.warmup)
        return float(left ** getattr(settings, "power", POLY_POWER))
    return float(0.1 ** sum(step >= share * steps for share in settings.milestones))


def optimizer_of(
    network: nn.Module,
    settings: Schedule,
    *,
    momentum: float = MOMENTUM,
    norm_decay: bool = True,
) -> torch.optim.Optimizer:
    """AdamW, or SGD (SAPNet, Sec. 4.1), for the weights that are trained.

    norm_decay : False spares the scales and shifts of norms the weight decay, as detectron2 does.
    """
    weights: list[Any] = [p for p in network.parameters() if p.requires_grad]
    if not norm_decay:
        weights = _groups(network, weights)
    if settings.optimizer == "sgd":
        return torch.optim.SGD(
            weights, settings.lr, momentum=momentum, weight_decay=settings.weight_decay
        )
    return torch.optim.AdamW(weights, settings.lr, weight_decay=settings.weight_decay)


def _groups(network: nn.Module, weights: list[nn.Parameter]) -> list[dict[str, Any]]:
    """The weights without those of norms, and those of norms with no decay."""
    norms = [m for m in network.modules() if "Norm" in type(m).__name__]
    spared = {id(p) for norm in norms for p in norm.parameters(recurse=False)}
    kept = [p for p in weights if id(p) not in spared]
    return [
        {"params": kept},
        {"params": [p for p in weights if id(p) in spared], "weight_decay": 0.0},
    ]
