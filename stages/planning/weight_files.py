"""The weight files of the networks that a stage runs, by what its variant has chosen.

Standard library alone.
"""

import functools
from collections.abc import Iterator
from pathlib import Path

from stages.engines.config_files import config_files
from stages.learning.features import of_segmenter
from stages.planning.lineage import Variants
from stages.planning.modules import learned_on
from stages.planning.sources import Weights
from stages.segmenters.official import OFFICIAL
from stages.segmenters.pretrained import pretrained_files
from stages.settings.readers import asks_again

READING = (  # stages that open weight files
    *("fit_prompt", "prompt", "fit_propose", "propose", "fit_select", "select"),
    *("fit_refine", "refine", "train", "train_half"),
)
LOOKING = ("fit_prompt", "prompt")  # through a network that learns where to ask
ASKING = ("propose", "fit_select", "select", "fit_refine", "refine")  # a segmenter, or features
DETECTING = ("train", "train_half", "predict", "predict_crossed", "predict_held_out")


@functools.lru_cache(maxsize=1024)
def weight_files_once(variants: Variants, stage: str, name: str) -> tuple[Weights, ...]:
    """`weight_files`, for rules, which ask for each shard; a fault is found before any rule."""
    return tuple(weight_files(variants, stage, name))


def weight_files(variants: Variants, stage: str, name: str) -> list[Weights]:
    """The files with their checksums; raises ValueError where a folder does not hold a model."""
    if stage in DETECTING:
        train = variants.settings(name, "train")
        own = [Weights(str(path), None) for path in config_files(train["config"])]
        start = (
            _files(train["weights"], train["weights_sha256"])
            if stage in ("train", "train_half")
            else []
        )
        return start + own
    if stage == "grade":
        grade = variants.settings(name, "grade")
        return _files(grade["model"], None) if grade["method"] == "additive" else []
    if stage in LOOKING:
        return _of_looking(variants, stage, name)
    if stage not in (*ASKING, "fit_propose"):
        return []
    learns = bool(variants.method(name, "propose").fit)
    if stage == "fit_propose":  # of one that learns the file is what it starts from
        return _checkpoint(variants, name) if learns else []
    segmenter = frozen_segmenter(variants, name) if learns else _checkpoint(variants, name)
    if stage == "propose":
        return segmenter
    found = _features(variants, stage, name)
    again = stage == "refine" and asks_again(variants.settings(name, "refine"))
    return found + [file for file in segmenter if again and file not in found]


def weight_files_of_all(variants: Variants) -> Iterator[Weights]:
    """The files of all stages of all variants, some more than once; raises as `weight_files`."""
    for name in variants.configs:
        stages = ("train",) if name in variants.supervised else READING
        for stage in stages:
            if variants.learns(name, stage):
                yield from weight_files(variants, stage, name)


def frozen_segmenter(variants: Variants, name: str) -> list[Weights]:
    """The network of a segmenter that another run has trained, if the config names one."""
    learns = variants.method(name, "propose").fit
    return _files(variants.block(name, "propose")["model"], None) if learns else []


def frozen_network(variants: Variants, name: str) -> list[Weights]:
    """The network that another run has trained, if the config names one."""
    return _files(variants.settings(name, "fit_prompt")["model"], None)


def _of_looking(variants: Variants, stage: str, name: str) -> list[Weights]:
    """What the network starts from, or looks through, and itself where it is frozen."""
    own = frozen_network(variants, name) if stage == "prompt" else []
    block = variants.block(name, "fit_prompt")
    features = block.get("features") or {}
    network = variants.settings(name, "fit_prompt")["network"]
    if variants.seen_through(name):
        return _checkpoint(variants, name) + own
    if features.get("source") == "transformers":
        return _pretrained(features["path"], f"fit_prompt.{network}.features.path") + own
    if features.get("weights"):  # a network whose maps are trained opens the file each time
        return _files(features["weights"], features["weights_sha256"]) + own
    start = _files(block.get("weights"), block.get("weights_sha256"))
    return start if stage == "fit_prompt" else own


def _features(variants: Variants, stage: str, name: str) -> list[Weights]:
    """What the networks of select or refine start from, where they are learned."""
    source = learned_on(variants, name, "refine" if stage.endswith("refine") else "select")
    if source is None:
        return []
    features = variants.block(name, "select")["features"]
    if of_segmenter(source, features.get("path")):
        return _checkpoint(variants, name)
    if source == "transformers":
        method = variants.settings(name, "select")["method"]
        return _pretrained(features["path"], f"select.{method}.features.path")
    return _files(features["weights"], features["weights_sha256"])


def _checkpoint(variants: Variants, name: str) -> list[Weights]:
    """The weight file of the segmenter, or the files of its folder, if it has any."""
    values = variants.block(name, "propose")
    if values.get("path"):
        return _pretrained(values["path"], "propose.transformers.path")
    path = values.get("checkpoint")
    known = OFFICIAL.get(Path(path).name) if path else None
    return _files(path, values.get("sha256") or (known.sha256 if known else None))


def _pretrained(folder: str, key: str) -> list[Weights]:
    return [Weights(str(path)) for path in pretrained_files(Path(folder), key)]


def _files(path: str | None, sha256: str | None) -> list[Weights]:
    return [Weights(path, sha256)] if path else []
