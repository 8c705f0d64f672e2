"""P2BNet's network behind the door of what learns to prompt: two stages of one two-branch network.

Chen et al. (ECCV 2022), Sec. 3: both stages share backbone and fully-connected layers, and each has
branches for classes and instances of its own. What it looks through is as for PSM, any of the
features' door.
"""

from pathlib import Path
from typing import Any

import torch

from stages.learning.arguments import feature_modules
from stages.learning.inputs import Inputs
from stages.learning.opening import feature_facts, open_inputs, open_network
from stages.learning.p2b_step import heads
from stages.learning.two_branch import TwoBranch
from stages.settings.fit_prompt import FitPrompt
from stages.settings.propose import Propose

PACKAGES = ("torch", "torchvision", "numpy")


def modules_of(fit: FitPrompt, propose: Propose) -> tuple[str, ...]:
    """The modules that make the features."""
    return feature_modules(fit.p2b.features, propose)


def facts_of_network(fit: FitPrompt, propose: Propose, *, fresh: bool) -> dict[str, Any]:
    """Checksum of what the features come from; raises ValueError where a file is not right."""
    facts = feature_facts(fit.p2b.features, propose)
    return {**facts, "packages": sorted({*PACKAGES, *facts["packages"]})}


def opened_network(
    fit: FitPrompt,
    propose: Propose,
    *,
    classes: int,
    folder: Path,
    device: torch.device,
    cache: Path | None,
    seed: int | None = None,
) -> tuple[TwoBranch, Inputs]:
    """The network on `device`, and what reads images for it, kept below `cache`.

    Parameters
    ----------
    classes : their number. seed : of first weights, for a training; None where others are loaded.
    """
    features = fit.p2b.features
    inputs = open_inputs(features, propose, folder=folder, device=device, cache=cache)
    if seed is not None:
        torch.manual_seed(seed)
    precision = fit.p2b.training.precision
    network = open_network(features, inputs, heads(classes), precision=precision)
    if seed is not None:
        inputs.start(network, features)
    return network, inputs
