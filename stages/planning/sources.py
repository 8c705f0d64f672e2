"""Files and folders that the config names, looked for before anything runs.

Standard library alone.
"""

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Values = Mapping[str, Any]
VARIABLE = re.compile(r"\$\{(\w+)\}")
NEVER = "(?!)"  # a regular expression that matches nothing


@dataclass(frozen=True, slots=True)
class Split:
    """Paths of one split of the data set."""

    images: str
    annotations: str


def expanded(text: str, key: str) -> str:
    """`text` with ${VARIABLES} and ~ replaced.

    Raises
    ------
    ValueError : a variable is not set.
    """
    for name in VARIABLE.findall(text):
        if not os.environ.get(name):
            raise ValueError(
                f"{key}: {text} needs the environment variable {name}, which is not set. "
                f"Set it: export {name}=/path/to/its/folder"
            )
    return os.path.expanduser(VARIABLE.sub(lambda match: os.environ[match[1]], text))


def splits(config: Values) -> tuple[Split, tuple[Split, ...]]:
    """Training and held-out images; {run} stands for the run where the data are drawn.

    Raises
    ------
    ValueError : a folder or a file is missing.
    """
    dataset = config["dataset"]
    if dataset["source"] == "partworld":
        home = "results/{run}/partworld"
        train, val = (
            Split(f"{home}/{name}/images", f"{home}/{name}/annotations.json")
            for name in ("train", "val")
        )
        return train, (val,)
    train = _split_on_disk(dataset["train"], "dataset.train")
    held_out = dataset["val"]
    return train, (_split_on_disk(held_out, "dataset.val"),) if held_out else ()


def _split_on_disk(split: Values, key: str) -> Split:
    images = expanded(split["images"], f"{key}.images")
    annotations = expanded(split["annotations"], f"{key}.annotations")
    if not Path(images).is_dir():
        raise ValueError(f"{key}.images: there is no folder {images}. Correct the path.")
    if not Path(annotations).is_file():
        raise ValueError(f"{key}.annotations: there is no file {annotations}. Correct the path.")
    return Split(images, annotations)


def located(text: str, key: str, root: Path) -> str:
    """The path as given, or below the repository where it exists only there."""
    path = expanded(text, key)
    return str(root / path) if not Path(path).exists() and (root / path).exists() else path


def weights(text: str | None, key: str, root: Path) -> str | None:
    """Path of a weight file that has to be there.

    Raises
    ------
    ValueError : it is missing.
    """
    if text is None:
        return None
    path = located(text, key, root)
    if not Path(path).is_file():
        raise ValueError(f"{key}: there is no file {path}. Correct the path, or set null.")
    return path


def fetched(checkpoint: Path, official: Collection[str]) -> str:
    """Regular expression of SAM's weights where they are to be fetched, else `NEVER`.

    A file that is there is the user's own: no rule makes it, and none may remove it.

    Raises
    ------
    ValueError : missing, and not one of the official files.
    """
    if checkpoint.is_file():
        return NEVER
    if checkpoint.name not in official:
        raise ValueError(
            f"propose.sam.checkpoint: there is no file {checkpoint}. Correct the path, or give it "
            f"the name of an official file ({', '.join(official)}), which is then fetched."
        )
    return re.escape(str(checkpoint))
