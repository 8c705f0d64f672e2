"""DeiT's weights for the transformer with a token per class, from a local file.

WeakSAM, Sec. 3.1, starts from DeiT-S, trained on ImageNet: the one class token and its position are
repeated for each class; positions of another grid are resized; the classifier, a distillation token
and the last norm have no place here. A file is a state dict, or has one under `model` or
`state_dict`, with DeiT's names, which timm's ViTs have too.
"""

from collections.abc import Mapping
from math import isqrt
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stages.learning.vit import ClassTokenVit, resized_positions
from stages.runtime.provenance import sha256_of
from stages.runtime.weights import read_weights

WRAPPED = ("model", "state_dict")
KEY = "fit_prompt.vit.weights"
LEFT_OUT = ("head.", "head_dist.", "dist_token", "norm.", "fc_norm.", "pre_logits.")
TOKENS = ("cls_token", "pos_embed")


def checked_weights(path: Path, sha256: str | None) -> str:
    """SHA-256 of a weight file.

    Raises
    ------
    ValueError : it is missing, or another one is wanted.
    """
    if not path.is_file():
        raise ValueError(f"{KEY}: there is no file {path}. Correct the path, or set null.")
    seen = sha256_of(path)
    if sha256 and seen != sha256.lower():
        raise ValueError(f"{KEY}: {path} has the sha256 {seen}, but {sha256} is wanted.")
    return seen


def load_deit(network: ClassTokenVit, path: Path, sha256: str | None) -> None:
    """Start a transformer from a file.

    Raises
    ------
    ValueError : as `checked_weights`; or the file holds no such weights, or of another shape.
    """
    checked_weights(path, sha256)
    wanted, saved = network.state_dict(), read_weights(path)
    try:
        state = _state_of(saved)
        given = {**state, **_tokens(state, network)}
    except Exception as error:  # torch raises many kinds for damaged files
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{KEY}: {path} holds no weights of a ViT ({reason}).") from error
    odd = sorted(given.keys() ^ wanted.keys())
    odd = odd or [key for key in wanted if wanted[key].shape != given[key].shape]
    if odd:
        raise ValueError(
            f"{KEY}: {path} does not fit: {_difference(odd[0], given, wanted)}. Set depth, dim, "
            "heads and patch of fit_prompt.vit to those of the file (DeiT-S: 12, 384, 6, 16)."
        )
    network.load_state_dict(given)


def _state_of(saved: Any) -> dict[str, Tensor]:
    inner = next((saved[name] for name in WRAPPED if name in saved), saved)
    return {key: value for key, value in inner.items() if not key.startswith(LEFT_OUT)}


def _tokens(state: Mapping[str, Tensor], network: ClassTokenVit) -> dict[str, Tensor]:
    """The class token and its position, once for each class; positions for the network's grid."""
    positions, count = state["pos_embed"], network.count
    cells = isqrt(positions.shape[1] - 1)  # a distillation token does not reach the next square
    patches = positions[:, positions.shape[1] - cells**2 :]
    resized = resized_positions(patches, cells, (network.cells, network.cells))
    classes = positions[:, :1].expand(-1, count, -1)
    return {
        "cls_token": state["cls_token"].expand(-1, count, -1),
        "pos_embed": torch.cat([classes, resized], dim=1),
    }


def _difference(key: str, given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    if key not in given:
        return f"{key} is missing"
    if key not in wanted:
        return f"{key} is surplus"
    return f"{key} is {tuple(given[key].shape)}, but {tuple(wanted[key].shape)} is wanted"
