"""What the job of a stage asks of the machine or the cluster: GPUs, threads, memory, minutes.

The methods are Snakemake's resource functions, by the wildcards of a job; none decides a result.
How many images a data set on disk holds is not known before `prepare`, so a shard is taken for
1,000 of them. Standard library alone.
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stages.learning.features import of_segmenter
from stages.planning.estimated import SHARDED
from stages.planning.lineage import Variants
from stages.planning.modules import learned_on
from stages.planning.needs import Load, memory, minutes
from stages.planning.shown_inputs import ShownInputs
from stages.planning.stage_inputs import TRAINING
from stages.settings.readers import asks_again

# stage: section whose method it trains
FITTED = {
    **{"fit_prompt": "fit_prompt", "fit_propose": "propose"},
    **{"fit_select": "select", "fit_refine": "refine"},
}
A_SHARD = 1000  # images; COCO train2017 in 128 shards has 924
OF_A_SHARD = (*SHARDED, "predict", "predict_crossed")
COMPUTING = (  # stages with `threads` of their own; the others have one
    *FITTED,
    *TRAINING,
    *("prompt", "propose", "select", "refine", "predict", "predict_crossed", "predict_held_out"),
)
NETWORKS_ON_PIXELS = ("resnet18", "resnet50", "vgg16")  # features that are trained themselves


@dataclass(frozen=True, slots=True)
class Resources(ShownInputs):
    """What a job asks for, beside the files that it reads."""

    def processes(self, wildcards: Any) -> int:
        """Processes of a training, a GPU each."""
        return self.load(wildcards).processes

    def gpus(self, wildcards: Any) -> int:
        """Tokens of resource `gpu` that a job takes; 0 when the device is the CPU."""
        load = self.load(wildcards)
        return load.processes * int(load.gpu)

    def threads(self, wildcards: Any) -> int:
        """CPU cores that a job keeps busy: those of each process, and its readers."""
        return self.load(wildcards).cpus

    def memory(self, wildcards: Any, attempt: int) -> int:
        """MiB of memory, twice as much at each attempt."""
        return memory(self.load(wildcards), attempt)

    def minutes(self, wildcards: Any, attempt: int) -> int:
        """Minutes, more at each attempt."""
        return minutes(self.load(wildcards), attempt)

    def load(self, wildcards: Any) -> Load:
        """What the job does."""
        return _load(self.ground.variants, self.case(wildcards).variant, self.stage, self._images())

    def _images(self) -> int:
        """Images that a job goes through."""
        dataset = self.ground.config["dataset"]
        world = dataset["partworld"] if self.ground.homes.own_worlds else {}
        train = world.get("train") or A_SHARD * len(self.ground.shards)
        held_out, salient = world.get("val") or 0, world.get("salient") or 0
        if self.stage in OF_A_SHARD:
            return math.ceil(train / len(self.ground.shards))
        whole = {
            "partworld": max(train, held_out, salient),
            "predict_held_out": held_out or A_SHARD,
            "fit_propose": train + salient,
        }
        return int(whole.get(self.stage, train + held_out))


@functools.lru_cache(maxsize=4096)
def _load(variants: Variants, name: str, stage: str, images: int) -> Load:
    """What a job of a stage of a variant does."""
    config = variants.configs[name]
    training, pixels = _training(variants, name, stage)
    batch = int(training.get("batch_images", 0))
    epochs = math.ceil(images / max(batch, 1)) * int(training.get("epochs", 0))
    return Load(
        stage=stage,
        images=images,
        gpu=config["device"] != "cpu" and stage in COMPUTING,
        segmenter=_segmenter(variants, name) if _looks(variants, name, stage) else None,
        steps=int(training.get("iterations", epochs)),
        batch=batch,
        pixels=batch * pixels,
        processes=int(training.get("processes", 1)),
        readers=int(training.get("workers", 0)),
        threads=int(config.get("threads", 1)) if stage in COMPUTING else 1,
        at_once=int(config.get("images_at_once", 1)) if stage == "propose" else 1,
    )


def _training(variants: Variants, name: str, stage: str) -> tuple[Mapping[str, Any], int]:
    """The training of a stage, and the pixels of an image that its network sees; 0: features."""
    if stage in TRAINING:
        train = variants.configs[name]["train"]
        return train, _largest(train.get("short_side", 0)) * int(train.get("long_side", 0))
    if stage not in FITTED:
        return {}, 0
    block = variants.block(name, FITTED[stage])
    shown = block if stage == "fit_prompt" else variants.block(name, "select")
    features = shown.get("features") or {}
    is_trained = features.get("source") in NETWORKS_ON_PIXELS and stage != "fit_propose"
    pixels = _largest(features.get("short_side", 0)) * int(features.get("long_side", 0))
    return block.get("training") or {}, pixels * is_trained


def _largest(side: Any) -> int:
    """Of a side, or of several of which one is drawn for each step."""
    return int(max(side)) if isinstance(side, list | tuple) else int(side)


def _looks(variants: Variants, name: str, stage: str) -> bool:
    """Whether a stage opens the segmenter, or looks through it."""
    if stage in ("propose", "fit_propose"):
        return True
    if stage in ("prompt", "fit_prompt"):
        return bool(variants.seen_through(name))
    section = stage.removeprefix("fit_")
    if section not in ("select", "refine"):
        return False
    if stage == "refine" and asks_again(variants.settings(name, "refine")):
        return True
    source = learned_on(variants, name, section)
    path = variants.block(name, "select").get("features", {}).get("path")
    return source is not None and of_segmenter(source, path)


def _segmenter(variants: Variants, name: str) -> str | None:
    """The model behind the segmenter, where it is a large one."""
    chosen = str(variants.settings(name, "propose")["segmenter"])
    if chosen == "sam":
        return str(variants.block(name, "propose").get("model", "vit_tiny"))
    return chosen if chosen == "transformers" else None
