"""Weight files are read without running anything of them: the one place that calls `torch.load`."""

from pathlib import Path
from typing import Any

import torch


def read_weights(path: Path) -> Any:
    """What torch.save has written of tensors and plain values, on the CPU.

    Raises
    ------
    ValueError : it is damaged, or would run code; none of it has run.
    FileNotFoundError : there is no such file.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # torch's own words advise to run what strangers wrote
        raise ValueError(
            f"{path}: not a plain weight file ({type(error).__name__}). Give one that torch.save "
            "has written of a state dict; one below `results` remove, and run snakemake again."
        ) from error
