"""What the trainings of all engines start from: the optimiser, and a seed for each step."""

import numpy as np
import torch
from torch import nn

from stages.settings.train import Train

START_PURPOSE, STEP_PURPOSE = 5, 6  # keep these random numbers apart from those of other stages


def optimizer_of(model: nn.Module, settings: Train) -> torch.optim.Optimizer:
    """AdamW, or SGD with momentum as in torchvision's own recipe."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    if settings.optimizer == "sgd":
        return torch.optim.SGD(
            weights, settings.lr, settings.momentum, weight_decay=settings.weight_decay
        )
    return torch.optim.AdamW(weights, settings.lr, weight_decay=settings.weight_decay)


def start_seed(seed: int) -> int:
    """For torch, before the first weights are drawn."""
    return _number(seed, START_PURPOSE)


def step_seed(seed: int, step: int) -> int:
    """For torch, before a step draws its anchors and RoIs; a function of the step alone."""
    return _number(seed, STEP_PURPOSE, step)


def _number(*parts: int) -> int:
    return int(np.random.SeedSequence(list(parts)).generate_state(1)[0])
