"""A trained network of clues, opened from its file for whoever asks it."""

from collections.abc import Sequence
from pathlib import Path

import torch

from stages.learning.clue_networks import ClueLearner
from stages.learning.own_weights import put, state_of
from stages.learning.prompt_networks import NETWORKS
from stages.runtime.doors import opened
from stages.settings.fit_prompt import FitPrompt
from stages.settings.propose import Propose


def fitted_clues(
    model: Path,
    fit: FitPrompt,
    propose: Propose,
    *,
    classes: Sequence[str],
    folder: Path,
    device: torch.device,
    cache: Path | None,
) -> ClueLearner:
    """The network with the weights of `model`, for inference.

    Parameters
    ----------
    classes : names of all classes, in the order of the network's columns. folder : of the images.
    cache : where embeddings are kept, or None.

    Raises
    ------
    ValueError : the model was made for other classes, or with other settings.
    """
    state = state_of(model, classes)
    learner: ClueLearner = opened(NETWORKS[fit.network].module).opened_learner(
        fit,
        propose,
        classes=len(classes),
        folder=folder,
        device=device,
        cache=cache,
        fresh=False,
    )
    put(learner.network, state, model, name=fit.network)
    return learner
