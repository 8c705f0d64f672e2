"""The files that a config names: weights with their checksums, folders of models, data.

Plain values of a whole, judged config in. Standard library alone.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.checkup.finding import Finding
from stages.methods.prompter import is_looking
from stages.segmenters.published import PUBLISHED, is_of
from stages.segmenters.segmenter import SEGMENTERS

Values = Mapping[str, Any]
VARIABLE = re.compile(r"\$\{(\w+)\}")
DIGESTS = {"checkpoint": "sha256", "weights": "weights_sha256"}  # key of a file: of its checksum
SHIPPED = "workflow/resources/vit_tiny.pth"
SHIPPED_SHA256 = "40d7a3d60b1d7efa3ea0387c756635d1c132d634fa1ec062dca9d3d166c5950a"


@dataclass(frozen=True, slots=True)
class Named:
    """A file or folder that a key names. sha256 : wanted, None: any."""

    key: str
    text: str
    sha256: str | None = None


def named_weights(config: Values) -> list[Named]:
    """The weight files and models of the methods that a config has chosen."""
    propose, select, looking = (config[name] for name in ("propose", "select", "fit_prompt"))
    segmenter, method, network = propose["segmenter"], select["method"], looking["network"]
    blocks = {
        f"propose.{segmenter}": propose.get(segmenter) or {},
        f"select.{method}.features": (select.get(method) or {}).get("features") or {},
    }
    if config["train"]["enabled"]:
        blocks["train"] = config["train"]
    if any(is_looking(entry["source"]) for entry in config["prompt"]["sources"]):
        block = looking.get(network) or {}
        blocks |= {
            "fit_prompt": {"model_file": looking["model"]},
            f"fit_prompt.{network}": block,
            f"fit_prompt.{network}.features": block.get("features") or {},
        }
    if SEGMENTERS[segmenter].fit:
        blocks["propose"] = {"model_file": (propose.get(segmenter) or {}).get("model")}
    return [found for key, block in blocks.items() for found in _in_block(key, block)]


def _in_block(key: str, block: Values) -> Iterator[Named]:
    for name, digest in DIGESTS.items():
        if block.get(name):
            yield Named(f"{key}.{name}", block[name], block.get(digest))
    for name in ("path", "model_file"):
        if block.get(name):
            yield Named(f"{key}.{name.removesuffix('_file')}", block[name])


def named_data(config: Values) -> list[Named]:
    """Folders and files of the data set, where it lies on disk."""
    dataset = config["dataset"]
    if dataset["source"] == "partworld":
        return []
    splits = {f"dataset.{name}": dataset[name] for name in ("train", "val") if dataset[name]}
    return [
        Named(f"{key}.{name}", split[name])
        for key, split in splits.items()
        for name in ("images", "annotations")
    ]


def data_found(named: Named) -> Finding:
    """Whether a file or folder of the data set is there."""
    path = expanded(named.text)
    if isinstance(path, Finding):
        return path
    if Path(path).exists():
        return Finding("ok", named.key, path)
    return Finding("missing", named.key, f"there is no {path}", _linked(path, named.key))


def weights_found(named: Named, root: Path) -> Finding:
    """Whether a weight file is there and the right one, or will be fetched.

    Parameters
    ----------
    root : the repository, in which a path is looked for that the working folder does not have.
    """
    text = expanded(named.text)
    if isinstance(text, Finding):
        return text
    path = Path(text) if Path(text).exists() else root / text
    known = PUBLISHED.get(path.name)
    if path.is_dir():
        return Finding("ok", named.key, f"{text}, a folder")
    if not path.exists() and known:
        fetch = f"python -m stages.fetch --out {text}"
        return Finding("absent", named.key, f"{text}: snakemake fetches it, or here", fetch)
    if not path.exists():
        return Finding("missing", named.key, f"there is no {text}", _linked(text, named.key))
    wanted = known.sha256 if known else (SHIPPED_SHA256 if named.text == SHIPPED else None)
    return _held_against(named, path, named.sha256 or wanted)


def _linked(path: str, key: str) -> str:
    return f"ln -s <where it is> {path}, or correct {key}"


def _held_against(named: Named, path: Path, wanted: str | None) -> Finding:
    """A file that is there, held against its checksum."""
    with path.open("rb") as file:
        seen = hashlib.file_digest(file, "sha256").hexdigest()
    if wanted is None:
        return Finding("ok", named.key, f"{named.text}, sha256 {seen[:8]}, held against nothing")
    if is_of(seen, wanted):
        return Finding("ok", named.key, f"{named.text}, sha256 {wanted[:8]} as wanted")
    again = "git checkout" if named.text == SHIPPED else "rm"
    text = f"{named.text} has sha256 {seen[:8]}, but {wanted[:8]} is wanted"
    return Finding("wrong", named.key, text, f"{again} {named.text}, and snakemake again")


def expanded(text: str) -> "str | Finding":
    """A path with ${VARIABLES} and ~ replaced; a finding where one is not set."""
    for name in VARIABLE.findall(text):
        if not os.environ.get(name):
            remedy = f"export {name}=/path/to/its/folder"
            return Finding("missing", text, f"the variable {name} is not set", remedy)
    return os.path.expanduser(VARIABLE.sub(lambda match: os.environ[match[1]], text))


def shipped_weights() -> Named:
    """The tiny SAM of the repository."""
    return Named("the shipped tiny SAM", SHIPPED)
