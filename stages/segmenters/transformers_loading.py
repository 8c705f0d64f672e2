"""Models of Hugging Face `transformers` (Apache-2.0) from a local folder, and from nowhere else.

The library is optional and heavy, so it is imported when a model is opened. No hub is asked, no
code of a folder runs, weights are safetensors, and all of them must be there: the library fills
what is missing with random numbers, and says so in a warning alone.
"""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import torch

from stages.segmenters.families import Family, family_of
from stages.segmenters.pretrained import pretrained_digest

LOCAL = {"local_files_only": True, "trust_remote_code": False}
KEY = "propose.transformers.path"
TIMM = ("timm",) if find_spec("timm") else ()  # which EdgeTAM's encoder is from
PACKAGES = ("torch", "torchvision", "transformers", "safetensors", "numpy", *TIMM)


@dataclass(frozen=True)  # without slots, which a weak reference would need a word for
class Loaded:
    """A promptable model, and what prepares its images.

    family : of it. side : px of its input.
    """

    model: Any
    processor: Any
    family: Family
    side: int


_LIVE: WeakValueDictionary[tuple[str, str], Loaded] = WeakValueDictionary()


def checked_digest(path: str | None, key: str) -> str:
    """SHA-256 over a folder's files.

    Raises
    ------
    ValueError : no folder is named, the library is not installed, or as `pretrained_digest`.
    """
    folder = folder_of(path, key)
    if find_spec("transformers") is None:
        raise ValueError(
            f"{key}: transformers is not installed. Run pip install transformers, in the version "
            "that requirements-dev.txt has."
        )
    return pretrained_digest(folder, key)


def folder_of(path: str | None, key: str) -> Path:
    """The folder that a key names; raises ValueError where it names none."""
    if not path:
        raise ValueError(f"{key}: null. Name a local folder that save_pretrained wrote.")
    return Path(path)


def load_promptable(path: str | None, device: torch.device) -> Loaded:
    """The promptable model of a folder on a device, in evaluation mode, float32.

    Who asks for the same folder while it is in use elsewhere gets the same model, which nobody may
    change.

    Raises
    ------
    ValueError : as `checked_digest` and `opened_pretrained`; or the model answers no prompts, or
        its images are prepared in another size than it takes.
    """
    key = (checked_digest(path, KEY), str(device))
    if (known := _LIVE.get(key)) is not None:
        return known
    _LIVE[key] = loaded = _read(folder_of(path, KEY), device)
    return loaded


def _read(folder: Path, device: torch.device) -> Loaded:
    family, transformers = family_of(folder, KEY), library()
    model = opened_pretrained(getattr(transformers, family.model), folder, KEY)
    processor = opened_processor(getattr(transformers, family.processor), folder, KEY)
    size = model.config.prompt_encoder_config.image_size
    side = int(size if isinstance(size, int) else size[0])
    if processor.target_size != side:
        raise ValueError(
            f"{KEY}: {folder} prepares images of {processor.target_size} px for a model of {side} "
            "px. Save the processor that belongs to the model."
        )
    return Loaded(model.to(device), processor, family, side)


def library() -> Any:
    """The module `transformers`, which says little and fetches nothing."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # whatever a config may ask for
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers


def opened_pretrained(kind: Any, folder: Path, key: str, *, spared: str = "") -> Any:
    """A model of class `kind` with the weights of a folder, in evaluation mode, on the CPU.

    Parameters
    ----------
    spared : how the names of weights begin that may be missing: they start at fixed values.

    Raises
    ------
    ValueError : it does not open, or weights are missing.
    """
    more = {"use_safetensors": True, "dtype": torch.float32, "output_loading_info": True}
    try:
        model, told = kind.from_pretrained(str(folder), **LOCAL, **more)
    except Exception as error:  # the library raises many kinds
        raise ValueError(_unopened(key, folder, kind, error)) from error
    missing = sorted(told["missing_keys"])
    if missing := [name for name in missing if not spared or not name.startswith(spared)]:
        raise ValueError(
            f"{key}: {folder} lacks {len(missing)} weights of {kind.__name__}, the first of them "
            f"{missing[0]}. Save the whole model."
        )
    return model.eval().requires_grad_(False)


def opened_processor(kind: Any, folder: Path, key: str) -> Any:
    """What prepares images, of class `kind`; raises ValueError where it does not open."""
    try:
        return kind.from_pretrained(str(folder), **LOCAL)
    except Exception as error:  # the library raises many kinds
        raise ValueError(_unopened(key, folder, kind, error)) from error


def _unopened(key: str, folder: Path, kind: Any, error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (
        f"{key}: {folder} does not open as {kind.__name__} ({lines[0] if lines else error!r}). "
        "Save model and processor again with this version of transformers."
    )
