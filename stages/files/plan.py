"""From the config to what the rules need: shards, paths, settings as JSON, targets.

The Snakefile calls `plan_of` once, so that the rules hold no logic. Files that the user named are
looked for here, before anything runs. Standard library alone, as in `stages.settings.check`.
"""

import json
import os
import re
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Values = Mapping[str, Any]
VARIABLE = re.compile(r"\$\{(\w+)\}")
NEVER = "(?!)"  # a regular expression that matches nothing
SECTIONS = ("prepare", "propose", "select", "refine", "export", "train", "evaluate")
CPU_MALLOC = {  # keeps freed buffers of 100 MB, which halves the time that SAM's decoder takes
    "MALLOC_MMAP_THRESHOLD_": 1 << 31,
    "MALLOC_TRIM_THRESHOLD_": 1 << 33,
    "MALLOC_TOP_PAD_": 1 << 28,
}


@dataclass(frozen=True, slots=True)
class Split:
    """Paths of one split of the data set."""

    images: str
    annotations: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the rules take from the config.

    Attributes
    ----------
    shards : names such as 0003-of-0128.
    gpu : tokens of resource `gpu` that a job on a GPU takes; 0 when the device is the CPU.
    train, val : paths of the splits; val is empty where there is none.
    truth : the training annotations where they hold true masks, else nothing.
    checkpoint : path of SAM's weights.
    fetched : regular expression of that path where the file has to be fetched first.
    features, backbone : weight files that select and refine, and train, read.
    engines : the engine whose detector is scored, where there are held-out images.
    settings : JSON text of each config section, paths expanded.
    targets : what the run is to make.
    """

    shards: tuple[str, ...]
    gpu: int
    train: Split
    val: tuple[Split, ...]
    truth: tuple[str, ...]
    checkpoint: str
    fetched: str
    features: tuple[str, ...]
    backbone: tuple[str, ...]
    engines: tuple[str, ...]
    settings: dict[str, str]
    targets: tuple[str, ...]


def plan_of(config: Values, *, root: Path, official: Collection[str]) -> Plan:
    """The plan of a complete and checked config.

    Parameters
    ----------
    root : the repository; paths that are not found from the working folder are looked for here.
    official : names of the SAM weight files that can be fetched.

    Raises
    ------
    ValueError : a variable is not set, or a file that the config names is missing.
    """
    config = json.loads(json.dumps(config))
    checkpoint = _located(config["propose"]["checkpoint"], "propose.checkpoint", root)
    config["propose"]["checkpoint"] = checkpoint
    features = config["select"]["features"]
    for section, name in ((features, "select.features"), (config["train"], "train")):
        section["weights"] = _weights(section["weights"], f"{name}.weights", root)
    network = checkpoint if features["source"] == "sam" else features["weights"]
    train, val = _splits(config)
    scored = val if config["train"]["enabled"] else ()
    return Plan(
        shards=shards_of(config["shards"]),
        gpu=int(config["device"] != "cpu"),
        train=train,
        val=scored,
        truth=(train.annotations,) if config["dataset"]["ground_truth"] else (),
        checkpoint=checkpoint,
        fetched=_fetched(Path(checkpoint), official),
        features=(network,) if network else (),
        backbone=(config["train"]["weights"],) if config["train"]["weights"] else (),
        engines=(config["train"]["engine"],) if scored else (),
        settings={name: json.dumps(config[name], sort_keys=True) for name in SECTIONS},
        targets=targets_of(config),
    )


def shards_of(count: int) -> tuple[str, ...]:
    """Names of `count` shards: 0000-of-0002, 0001-of-0002."""
    return tuple(f"{number:04d}-of-{count:04d}" for number in range(count))


def targets_of(config: Values) -> tuple[str, ...]:
    """Files that `snakemake` without a target makes."""
    home = f"results/{config['run']}/{config['variant']}"
    names = ["export/pseudo_labels.json", "evaluate/metrics.json"]
    if config["train"]["enabled"]:
        names.insert(1, f"train/{config['train']['engine']}/model.pt")
    return tuple(f"{home}/{name}" for name in names)


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


def shell_prefix(root: Path, python: Path, *, gpu: int) -> str:
    """What every job's shell does first; Snakemake itself sets OMP_NUM_THREADS to the threads.

    Parameters
    ----------
    python : the interpreter that runs Snakemake; its folder goes first on PATH, unless the job has
        a conda environment of its own.
    """
    malloc = " ".join(f"{name}={value}" for name, value in CPU_MALLOC.items())
    quoted = [shlex.quote(str(path)) for path in (root, python.parent)]
    lines = [
        f"export PYTHONPATH={quoted[0]}",
        f'[ -n "${{CONDA_PREFIX:-}}" ] || export PATH={quoted[1]}:"$PATH"',
        *([] if gpu else [f"export {malloc}"]),
    ]
    return "; ".join(lines).replace("{", "{{").replace("}", "}}") + "; "


def flag(name: str, paths: Collection[str]) -> str:
    """`name` and the quoted paths for a command line; nothing where there are no paths."""
    return " ".join([name, *(shlex.quote(str(path)) for path in paths)]) if paths else ""


def _splits(config: Values) -> tuple[Split, tuple[Split, ...]]:
    dataset = config["dataset"]
    if dataset["source"] == "partworld":
        home = f"results/{config['run']}/partworld"
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


def _located(text: str, key: str, root: Path) -> str:
    """The path as given, or below the repository where it exists only there."""
    path = expanded(text, key)
    return str(root / path) if not Path(path).exists() and (root / path).exists() else path


def _weights(text: str | None, key: str, root: Path) -> str | None:
    if text is None:
        return None
    path = _located(text, key, root)
    if not Path(path).is_file():
        raise ValueError(f"{key}: there is no file {path}. Correct the path, or set null.")
    return path


def _fetched(checkpoint: Path, official: Collection[str]) -> str:
    """A file that is there is the user's own: no rule makes it, and none may remove it."""
    if checkpoint.is_file():
        return NEVER
    if checkpoint.name not in official:
        raise ValueError(
            f"propose.checkpoint: there is no file {checkpoint}. Correct the path, or give it the "
            f"name of an official file ({', '.join(official)}), which is then fetched."
        )
    return re.escape(str(checkpoint))
