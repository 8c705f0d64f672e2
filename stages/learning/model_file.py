"""A model file of ours: the weights of a network, and as its header what they depend on."""

import io
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stages.runtime.atomic import write_bytes
from stages.runtime.weights import finite_weights


def to_bytes(state: Any) -> bytes:
    """`torch.save` into memory, so that the bytes do not depend on a file's name."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def save_model(path: Path, network: nn.Module, header: dict[str, Any]) -> None:
    """Write the weights of a network with what they depend on."""
    state = {key: value.cpu() for key, value in network.state_dict().items()}
    write_bytes(path, to_bytes({"state": state, "header": json.dumps(header, sort_keys=True)}))


def load_model(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Weights and header of a model file.

    Raises
    ------
    ValueError : missing, or not a model file of ours.
    """
    if not path.is_file():
        raise ValueError(f"{path}: this model file is missing. Run snakemake to make it.")
    try:
        saved = finite_weights(path)
        state, header = saved["state"], json.loads(saved["header"])
    except Exception as error:  # torch raises many kinds for damaged files
        state, header, reason = None, None, (str(error).splitlines() or [""])[0].strip()
        reason = f" ({reason or type(error).__name__})"
    else:
        reason = ""
    if not isinstance(header, dict) or not _is_state(state):
        raise ValueError(
            f"{path}: not a model file of Maskmill{reason}. Remove it and run snakemake again."
        )
    return state, header


def _is_state(state: Any) -> bool:
    return isinstance(state, dict) and all(isinstance(each, Tensor) for each in state.values())


def put_weights(network: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Give a network the weights of a model file, all of them.

    Raises
    ------
    ValueError : they are of another network.
    """
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ValueError(
            f"{path}: does not fit these settings ({reason}). Remove it and run snakemake again."
        ) from error


def of_header(header: dict[str, Any], key: str, path: Path) -> Any:
    """What the header of a model file says; raises ValueError where it does not."""
    if key not in header:
        raise ValueError(
            f"{path}: its header does not tell its {key}. Remove it and run snakemake again."
        )
    return header[key]
