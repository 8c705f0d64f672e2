"""The weights of what learns where to ask, from this run's file or another's."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from stages.learning.model_file import load_model


def state_of(model: Path, classes: Sequence[str]) -> dict[str, Tensor]:
    """The weights in a file that fit_prompt wrote.

    Parameters
    ----------
    classes : names of all classes, in the order of the network's columns.

    Raises
    ------
    ValueError : there is no such file, or it was made for other classes.
    """
    state, header = load_model(model)
    if header.get("classes") != list(classes):
        raise ValueError(
            f"{model}: it knows the classes {header.get('classes')}, but these labels have "
            f"{list(classes)}. Take a model of the same classes, or set fit_prompt.model: null."
        )
    return state


def put(network: nn.Module, state: dict[str, Tensor], model: Path, *, name: str) -> None:
    """Give a network its weights, for inference; name: as `fit_prompt.network`.

    Raises
    ------
    ValueError : the file was made with other settings.
    """
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ValueError(
            f"{model}: does not fit the keys of fit_prompt.{name} ({reason}). Set them as "
            "in the run that trained it, or remove it and run snakemake again."
        ) from error
    network.eval()
