"""Weight files and model folders that the config names: where they lie, looked for at once.

Standard library alone, as in `stages.planning.plan`.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stages.planning.links import Links, misread, refusal
from stages.planning.sources import NEVER, expanded
from stages.segmenters.families import family_of
from stages.segmenters.official import OFFICIAL
from stages.segmenters.pretrained import pretrained_files
from stages.segmenters.published import IMAGENET, refuse_outside
from stages.segmenters.segmenter import SEGMENTERS

Values = Mapping[str, Any]
OFFICIAL_KEY = "propose.sam.checkpoint"  # where a missing official file is fetched


def with_paths(config: Values, root: Path, links: Links) -> dict[str, Any]:
    """A config that names the weight files of its chosen methods by where they lie.

    Parameters
    ----------
    root : the repository; paths that are not found from the working folder are looked for here.

    Raises
    ------
    ValueError : a variable is not set, a file is missing and cannot be fetched, or a link to it
        cannot be made.
    """
    placed: dict[str, Any] = json.loads(json.dumps(config))
    segmenter, selector = placed["propose"]["segmenter"], placed["select"]["method"]
    asked = placed["propose"].get(segmenter, {})
    if asked.get("checkpoint"):
        key = f"propose.{segmenter}.checkpoint"
        asked["checkpoint"] = _checkpoint(asked["checkpoint"], key, root, links)
    if "path" in asked:
        key = f"propose.{segmenter}.path"
        asked["path"] = _promptable(asked["path"], key, root, links)
    if SEGMENTERS[segmenter].fit:
        asked["model"] = weights(asked["model"], f"propose.{segmenter}.model", root, links)
    features = placed["select"].get(selector, {}).get("features")
    if features:
        key = f"select.{selector}.features.weights"
        features["weights"] = weights(features["weights"], key, root, links)
        if features["source"] == "transformers" and features["path"]:
            key = f"select.{selector}.features.path"
            features["path"] = pretrained(features["path"], key, root, links)
    _place_looking(placed["fit_prompt"], root, links)
    if placed["grade"]["method"] == "additive":
        placed["grade"]["model"] = weights(placed["grade"]["model"], "grade.model", root, links)
    train = placed["train"]
    for name in ("weights", "config"):
        train[name] = weights(train[name], f"train.{name}", root, links)
    return placed


def _place_looking(section: dict[str, Any], root: Path, links: Links) -> None:
    """Where the files of what learns to prompt lie, in place of how the config names them."""
    section["model"] = weights(section["model"], "fit_prompt.model", root, links)
    network = section["network"]
    block = section.get(network, {})
    if block.get("weights"):
        key = f"fit_prompt.{network}.weights"
        block["weights"] = weights(block["weights"], key, root, links)
    features = block.get("features") or {}
    if features.get("weights"):
        key = f"fit_prompt.{network}.features.weights"
        features["weights"] = weights(features["weights"], key, root, links)
    if features.get("source") == "transformers" and features["path"]:
        key = f"fit_prompt.{network}.features.path"
        features["path"] = pretrained(features["path"], key, root, links)


def located(text: str, key: str, root: Path) -> str:
    """The path as given, or below the repository where it exists only there."""
    path = expanded(text, key)
    return str(root / path) if not Path(path).exists() and (root / path).exists() else path


def weights(text: str | None, key: str, root: Path, links: Links) -> str | None:
    """Path of a weight file, or of a network's, that has to be there, or can be fetched.

    Raises
    ------
    ValueError : it is missing and bears no published name, or a link to it cannot be made.
    """
    if text is None:
        return None
    path = located(text, key, root)
    if Path(path).is_file():
        return links.readable(path, key)
    if Path(path).name in IMAGENET:
        return _to_be_fetched(path, key)
    raise ValueError(f"{key}: there is no file {path}. Correct the path, or set null.")


def pretrained(text: str, key: str, root: Path, links: Links) -> str:
    """Path of a folder as `transformers` writes it, which has to be there, and whole.

    Raises
    ------
    ValueError : as `pretrained_files`, or a link to it cannot be made.
    """
    path = located(text, key, root)
    for file in pretrained_files(Path(path), key):
        if misread(file.name):
            raise ValueError(refusal(str(file), key))
    return links.readable(path, key)


def _promptable(text: str | None, key: str, root: Path, links: Links) -> str:
    if not text:
        raise ValueError(f"{key}: null. Name a local folder that save_pretrained wrote.")
    path = pretrained(text, key, root, links)
    family_of(Path(path), key)
    return path


def _checkpoint(text: str, key: str, root: Path, links: Links) -> str:
    path = located(text, key, root)
    if Path(path).is_file():
        return links.readable(path, key)
    if key != OFFICIAL_KEY and Path(path).name in IMAGENET:
        return _to_be_fetched(path, key)
    if key != OFFICIAL_KEY:
        raise ValueError(f"{key}: there is no file {path}. Correct the path.")
    if Path(path).name not in OFFICIAL:
        raise ValueError(
            f"{key}: there is no file {path}. Correct the path, or give it the "
            f"name of an official file ({', '.join(OFFICIAL)}), which is then fetched."
        )
    return _to_be_fetched(path, key)


def _to_be_fetched(path: str, key: str) -> str:
    """The path of a file that rule `fetch` makes; what is to be made cannot be linked to."""
    if misread(path):
        raise ValueError(refusal(path, key))
    try:
        refuse_outside(path)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error
    return path


def fetched(checkpoints: Iterable[str]) -> str:
    """Regular expression of the weight files that have to be fetched, or `NEVER`.

    A file that is there is the user's own: no rule makes it, and none may remove it.
    """
    missing = [re.escape(path) for path in dict.fromkeys(checkpoints) if not Path(path).is_file()]
    return "|".join(missing) or NEVER
