"""Weight files: opened without running code, and held against numbers that would spoil all masks.

This is the one place that calls `torch.load`. A NaN in one weight leaves every mask empty and no
error anywhere. What a file should hold besides is its reader's to say.
"""

import math
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def finite_weights(path: Path, *, whole: bool = True) -> Any:
    """What `torch.save` has written, on the CPU.

    Parameters
    ----------
    whole : all numbers must be finite; else the reader looks at those that it takes.

    Raises
    ------
    ValueError : it is no regular file, damaged, would run code, or a number in it is not finite;
        the end of a sentence.
    FileNotFoundError : there is no such file.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError("it is no regular file")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of many kinds; torch's own words advise to run what it refuses
        raise ValueError(type(error).__name__) from error
    for name, tensor in _tensors(found) if whole else ():
        if not _is_finite(tensor):
            raise ValueError(f"not all numbers of {name} are finite")
    return found


def read_weights(path: Path, *, whole: bool = True) -> Any:
    """As `finite_weights`, of a file that somebody gave, with a whole sentence for what is wrong.

    Raises
    ------
    ValueError : it is damaged, would run code, or holds numbers that are not finite.
    FileNotFoundError : there is no such file.
    """
    try:
        return finite_weights(path, whole=whole)
    except ValueError as error:
        raise ValueError(
            f"{path}: not a plain weight file ({error}). Give one that torch.save has written of "
            "a state dict; one below `results` remove, and run snakemake again."
        ) from error


def _tensors(value: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """All tensors in nested mappings and lists, each with its place: `state.conv.weight`."""
    if isinstance(value, Tensor):
        yield name or "it", value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _tensors(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _tensors(inner, f"{name}[{number}]")


def _is_finite(tensor: Tensor) -> bool:
    """By the sum, which is quick; number by number where that overflows."""
    if not tensor.is_floating_point() and not tensor.is_complex():
        return True
    plain = tensor.float() if tensor.element_size() == 1 else tensor  # float8 has no sum
    total = plain.sum(dtype=None if plain.is_complex() else torch.float64)
    return math.isfinite(abs(total.item())) or bool(torch.isfinite(plain).all())
