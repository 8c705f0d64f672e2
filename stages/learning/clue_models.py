"""A trained network of clues, opened from its file for whoever asks it."""

from collections.abc import Sequence
from pathlib import Path

import torch

from stages.learning.clue_networks import CLUES, ClueLearner
from stages.learning.trainer import load_model
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
    state, header = load_model(model)
    if header.get("classes") != list(classes):
        raise ValueError(
            f"{model}: it knows the classes {header.get('classes')}, but these labels have "
            f"{list(classes)}. Take a model of the same classes, or set fit_prompt.model: null."
        )
    learner: ClueLearner = opened(CLUES[fit.network].module).opened_learner(
        fit,
        propose,
        classes=len(classes),
        folder=folder,
        device=device,
        cache=cache,
        fresh=False,
    )
    try:
        learner.network.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ValueError(
            f"{model}: does not fit the keys of fit_prompt.{fit.network} ({reason}). Set them as "
            "in the run that trained it, or remove it and run snakemake again."
        ) from error
    learner.network.eval()
    return learner
