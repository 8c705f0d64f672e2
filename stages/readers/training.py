"""training.json, the facts of a training that `train` writes beside the weights."""

import json
from pathlib import Path
from typing import Any

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
    try:
        facts = json.loads(path.read_bytes())
    except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: no facts of a training ({error}). Rerun train.") from None
    known = facts if isinstance(facts, dict) else {}
    odd = [key for key, kind in KEYS.items() if not isinstance(known.get(key), kind)]
    if odd:
        raise ValueError(f"{path}: no facts of a training, {odd[0]} is missing. Rerun train.")
    return dict(facts)
