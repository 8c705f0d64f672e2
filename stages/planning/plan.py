"""From the config to what the rules need: shards, paths, settings as JSON, targets.

The Snakefile calls `plan_of` once, so that the rules hold no logic. Files that the user named are
looked for here, before anything runs. Neither numpy nor torch, since the Snakefile asks.
"""

import json
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.planning.comparison import Comparison, comparison_of
from stages.planning.homes import Variants
from stages.planning.sources import Split, fetched, located, splits, weights
from stages.settings.overrides import FULLY_SUPERVISED, is_supervised, variant_config
from stages.settings.readers import chosen

Values = Mapping[str, Any]
SECTIONS = ("prepare", "propose", "select", "refine", "export", "train", "evaluate")
PSEUDO_LABELS = "export/pseudo_labels.json"
CPU_MALLOC = {  # keeps freed buffers of 100 MB, which halves the time that SAM's decoder takes
    "MALLOC_MMAP_THRESHOLD_": 1 << 31,
    "MALLOC_TRIM_THRESHOLD_": 1 << 33,
    "MALLOC_TOP_PAD_": 1 << 28,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the rules take from the config.

    Attributes
    ----------
    shards : names such as 0003-of-0128.
    gpu : tokens of resource `gpu` that a job on a GPU takes; 0 when the device is the CPU.
    processes : of a training of `select` and of `refine`, a GPU each.
    train, val : paths of the splits, with {run} in them; val is empty where there is none.
    truth : the training annotations where they hold true masks, else nothing.
    checkpoint : path of SAM's weights.
    fetched : regular expression of that path where the file has to be fetched first.
    features, backbone : weight files that select and refine, and train, read.
    settings : JSON text of each config section, paths expanded.
    variants : settings and folders of what follows propose.
    report : what the ablation compares.
    targets : what the run is to make.
    """

    shards: tuple[str, ...]
    gpu: int
    processes: dict[str, int]
    train: Split
    val: tuple[Split, ...]
    truth: tuple[str, ...]
    checkpoint: str
    fetched: str
    features: tuple[str, ...]
    backbone: tuple[str, ...]
    settings: dict[str, str]
    variants: Variants
    report: Comparison
    targets: tuple[str, ...]

    def model_of(self, wildcards: Any, stage: str) -> list[str]:
        """The model that a shard of `select` or `refine` is made with."""
        return self.variants.model(wildcards.run, wildcards.variant, stage)

    def judged(self, wildcards: Any, stage: str) -> list[str]:
        """The tables that a variant is judged by; none where only its detector is."""
        if not self.exported(wildcards):
            return []
        home = wildcards.run if stage == "propose" else f"{wildcards.run}/{wildcards.variant}"
        return [f"results/{home}/{stage}/shard-{shard}.parquet" for shard in self.shards]

    def labels_of(self, wildcards: Any) -> list[str]:
        """What a detector is trained on: pseudo-labels, or the ground truth for comparison."""
        if self.variants.is_supervised(wildcards.variant):
            return [path.replace("{run}", wildcards.run) for path in self.truth]
        return [self.variants.made(wildcards.run, wildcards.variant, PSEUDO_LABELS)]

    def exported(self, wildcards: Any) -> list[str]:
        """The pseudo-labels of a variant that has some of its own."""
        own = f"results/{wildcards.run}/{wildcards.variant}/{PSEUDO_LABELS}"
        return [own] if self.labels_of(wildcards) == [own] else []

    def trained(self, wildcards: Any, name: str) -> list[str]:
        """The file `name` of the detector that a variant is scored by, where one is trained."""
        if not self.report.has_detector(wildcards.run, wildcards.variant):
            return []
        home = f"results/{wildcards.run}/{wildcards.variant}"
        return [f"{home}/train/{self.report.engine}/{name}"]

    def launcher(self, stage: str) -> str:
        """How a training of `select` or `refine` is started."""
        count = self.processes[stage]
        torchrun = f"python -m torch.distributed.run --standalone --nproc-per-node {count}"
        return torchrun if count > 1 else "python"


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
    checkpoint = located(config["propose"]["sam"]["checkpoint"], "propose.sam.checkpoint", root)
    config["propose"]["sam"]["checkpoint"] = checkpoint
    features = config["select"]["psm"]["features"]
    for section, name in ((features, "select.psm.features"), (config["train"], "train")):
        section["weights"] = weights(section["weights"], f"{name}.weights", root)
    network = checkpoint if features["source"] == "sam" else features["weights"]
    train, val = splits(config)
    scored = val if config["train"]["enabled"] else ()
    variants = variants_of(config)
    return Plan(
        shards=shards_of(config["shards"]),
        gpu=int(config["device"] != "cpu"),
        processes={
            "select": config["select"]["psm"]["training"]["processes"],
            "refine": config["refine"]["prm"]["training"]["processes"],
        },
        train=train,
        val=scored,
        truth=(train.annotations,) if config["dataset"]["ground_truth"] else (),
        checkpoint=checkpoint,
        fetched=fetched(Path(checkpoint), official),
        features=(network,) if network else (),
        backbone=(config["train"]["weights"],) if config["train"]["weights"] else (),
        settings={
            name: json.dumps(chosen(name, config[name]), sort_keys=True) for name in SECTIONS
        },
        variants=variants,
        report=comparison_of(config, variants, held_out=bool(scored)),
        targets=targets_of(config),
    )


def variants_of(config: Values) -> Variants:
    """All that the config names: the run's own variant, those of its report, and detectors."""
    report = config["report"]
    named = [config["variant"], *report["variants"], *report["detectors"], FULLY_SUPERVISED]
    names = list(dict.fromkeys(named))
    return Variants(
        configs={name: variant_config(config, name) for name in names},
        compared=tuple(report["variants"]),
        seed=config["seed"],
        supervised=[name for name in names if is_supervised(config["variants"], name)],
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


def flags(paths: Any, *names: str) -> str:
    """`flag` of each attribute of a rule's input."""
    return " ".join(flag(f"--{name}", getattr(paths, name)) for name in names)
