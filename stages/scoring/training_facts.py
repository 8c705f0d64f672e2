"""training.json, the facts of a training that `train` writes beside the weights."""

import math
from pathlib import Path
from typing import Any

from stages.runtime.json_files import read_json

KEYS = {  # key: what its value may be
    "engine": str,
    "packages": dict,
    "images": int,
    "annotations": int,
    "masks_ignored": int,
    "steps": int,
    "last_loss": float,
}


def read_training(path: Path) -> dict[str, Any]:
    """The facts of a training.

    Raises
    ------
    ValueError : missing, no JSON, or not written by `train`.
    """
    facts = read_json(path, "facts of a training", "train")
    known = facts if isinstance(facts, dict) else {}
    odd = [key for key, kind in KEYS.items() if not _is(known.get(key), kind)]
    if odd:
        raise ValueError(
            f"{path}: no facts of a training, {odd[0]} is missing or no finite value. Rerun train."
        )
    return dict(facts)


def _is(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and (not isinstance(value, float) or math.isfinite(value))
