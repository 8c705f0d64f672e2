"""A local folder as `save_pretrained` of `transformers` writes it, and what of it is read.

In comes a folder; out go the files that a model of it depends on, its `model_type`, one digest.
Weights are safetensors, never pickles, so that a stranger's folder cannot run code. Standard
library alone: the plan looks for the folder and watches its files without loading the library.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from stages.runtime.provenance import sha256_of

CONFIG = "config.json"
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
PREPARING = ("preprocessor_config.json", "processor_config.json")  # the latter since version 5
PICKLES = (".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth")
ADAPTER = "adapter_config.json"  # the library would lay one over the weights unasked


def pretrained_files(folder: Path, key: str) -> tuple[Path, ...]:
    """The files of a folder that are read, in a fixed order.

    Parameters
    ----------
    key : of the config that names the folder.

    Raises
    ------
    ValueError : there is no such folder, or not all of it, or its weights are a pickle.
    """
    if not folder.is_dir():
        raise ValueError(
            f"{key}: there is no folder {folder}. Name one that save_pretrained wrote; nothing is "
            "fetched from a hub."
        )
    if (folder / ADAPTER).exists():
        raise ValueError(f"{key}: {folder} holds an {ADAPTER}. Merge the adapter, and save again.")
    preparing = [name for name in PREPARING if (folder / name).is_file()]
    if not (folder / CONFIG).is_file() or not preparing:
        raise ValueError(
            f"{key}: {folder} has no {CONFIG}, or neither of {' and '.join(PREPARING)}. Save the "
            "model and its processor into it, both with save_pretrained."
        )
    return tuple(folder / name for name in (CONFIG, *preparing, *_weights(folder, key)))


def _weights(folder: Path, key: str) -> tuple[str, ...]:
    """Names of the weight files: one, or an index and its parts."""
    if (folder / WEIGHTS).is_file():
        return (WEIGHTS,)
    if (folder / INDEX).is_file():
        return (INDEX, *_parts(folder, key))
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
    seen = f"{', '.join(pickles)}, a pickle that may run code" if pickles else "no weights"
    raise ValueError(
        f"{key}: {folder} has {seen}, but {WEIGHTS} is wanted. Load it where it is trusted, and "
        "write it again with save_pretrained."
    )


def _parts(folder: Path, key: str) -> list[str]:
    found = _parsed(folder / INDEX, key).get("weight_map")
    names = sorted({str(name) for name in found.values()}) if isinstance(found, dict) else []
    odd = [name for name in names if Path(name).name != name or not (folder / name).is_file()]
    if odd or not names:
        raise ValueError(
            f"{key}: {folder / INDEX} names {', '.join(odd) or 'no part'}, which is not in the "
            "folder. Save the model again."
        )
    return names


def model_type(folder: Path, key: str) -> str:
    """What its config calls the model in a folder; raises ValueError where it does not."""
    found = _parsed(folder / CONFIG, key).get("model_type")
    if not isinstance(found, str):
        raise ValueError(f"{key}: {folder / CONFIG} has no model_type. Save the model again.")
    return found


def pretrained_digest(folder: Path, key: str) -> str:
    """SHA-256 over the names and the contents of the files that are read; errors as they have."""
    files = pretrained_files(folder, key)
    text = json.dumps([[path.name, sha256_of(path)] for path in files])
    return hashlib.sha256(text.encode()).hexdigest()


def _parsed(path: Path, key: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{key}: {path} is not JSON ({error}). Save the model again.") from error
    if not isinstance(found, dict):
        raise ValueError(f"{key}: {path} is no JSON object. Save the model again.")
    return found
