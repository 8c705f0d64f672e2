"""What is wrong with a config, in one sentence for people; called by the Snakefile before any job.

`stages.settings.refuse` has held it against the schema before; here are the rules that span several
keys. Only the standard library is imported, since under `--use-conda` the Snakefile runs in an
environment that has Snakemake and nothing of ours.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stages.settings.overrides import FIXED, FULLY_SUPERVISED, is_supervised, variant_config

Values = Mapping[str, Any]
SHARED_FOLDERS = ("partworld", "prepare", "propose", "report", "logs", "benchmarks")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def check(config: Values) -> None:
    """Rules that span several keys of a complete config.

    Raises
    ------
    ValueError : names the keys, what they hold, and a remedy.
    """
    for fault in _cross_faults(config):
        raise ValueError(f"{fault}.")
    for fault in _report_faults(config):
        raise ValueError(f"{fault}.")
    for name in config["variants"]:
        merged = variant_config(config, name)
        for fault in (*_method_faults(merged), *_train_faults(merged)):
            raise ValueError(f"variants.{name}: {fault}.")


def _cross_faults(config: Values) -> Iterator[str]:
    yield from _data_faults(config)
    yield from _prompt_faults(config["propose"])
    yield from _method_faults(config)
    yield from _train_faults(config)


def _train_faults(config: Values) -> Iterator[str]:
    train = config["train"]
    if train["norm"] == "frozen_batch" and not train["weights"]:
        yield (
            "train.norm: frozen_batch learns nothing without trained statistics; set "
            "train.weights to a torchvision ResNet file, or train.norm to group"
        )
    if train["short_side"] > train["long_side"]:
        yield _sides_fault("train", train)
    yield from _milestone_faults("train", list(train["milestones"]))
    drop = train["roi_drop"]
    if drop["enabled"] and drop["start"] is None:
        yield (
            "train.roi_drop.start is missing, but train.roi_drop is enabled; give the first step "
            "that drops, such as a fifth of train.iterations"
        )
    elif drop["enabled"] and drop["start"] >= train["iterations"]:
        yield (
            f"train.roi_drop.start {drop['start']} is not before the end of the training; "
            f"train.iterations is {train['iterations']}"
        )
    if train["multi_mask"]["enabled"] and not config["export"]["extra_masks"]:
        yield "train.multi_mask is enabled, but export.extra_masks is 0; set it to 3"


def _report_faults(config: Values) -> Iterator[str]:
    report = config["report"]
    known = [config["variant"], *config["variants"]]
    for key in ("variants", "detectors"):
        allowed = [*known, *([FULLY_SUPERVISED] if key == "detectors" else [])]
        for name in report[key]:
            if name not in allowed:
                yield f"report.{key}: there is no variant {name!r}; known are {', '.join(allowed)}"
        if len(set(report[key])) < len(report[key]):
            yield f"report.{key}: {list(report[key])} names one twice"
    for name, entry in config["variants"].items():
        if not NAME.fullmatch(name) or name in (*SHARED_FOLDERS, FULLY_SUPERVISED):
            yield f"variants.{name}: choose another name, of letters, digits, '_', '.' and '-'"
        if entry.get("over") and entry["over"] not in (*known, FULLY_SUPERVISED):
            yield f"variants.{name}.over: there is no variant {entry['over']!r}"
        yield from _fixed_faults(name, entry)
        if is_supervised(config["variants"], name) and name in report["variants"]:
            yield (
                f"report.variants: {name} learns from the ground truth and has no labels to "
                "compare; name it in report.detectors alone"
            )
    for seed in report["detector_seeds"]:
        if seed not in report["seeds"]:
            yield f"report.detector_seeds: {seed} is not among report.seeds {list(report['seeds'])}"


def _fixed_faults(name: str, entry: Values) -> Iterator[str]:
    """Keys that a variant sets, although rules and paths depend on them."""
    for section, keys in FIXED.items():
        for key in keys:
            node: Any = entry.get(section) or {}
            for part in key.split("."):
                node = node.get(part) if isinstance(node, Mapping) else None
            if node is not None:
                yield (
                    f"variants.{name}.{section}.{key}: this is the same for all variants of a "
                    f"run; set {section}.{key} itself"
                )


def _method_faults(config: Values) -> Iterator[str]:
    select, refine = config["select"], config["refine"]
    features = select["features"]
    if features["short_side"] > features["long_side"]:
        yield _sides_fault("select.features", features)
    for section in ("select", "refine"):
        milestones = list(config[section]["training"]["milestones"])
        yield from _milestone_faults(f"{section}.training", milestones)
    if select["method"] != "psm" and refine["method"] == "prm":
        yield (
            f"refine.method: prm starts from PSM, but select.method is {select['method']}; set "
            "refine.method to none, or select.method to psm"
        )
    bms = refine["bms"]
    if bms["t_min2"] > bms["t_min1"]:
        yield (
            f"refine.bms: t_min2 {bms['t_min2']} is more than t_min1 {bms['t_min1']}; "
            "the rule `contain` is meant for the lower overlap, so swap them"
        )


def _sides_fault(section: str, sizes: Values) -> str:
    return (
        f"{section}: short_side {sizes['short_side']} is more than long_side "
        f"{sizes['long_side']}; swap them"
    )


def _data_faults(config: Values) -> Iterator[str]:
    if config["variant"] in SHARED_FOLDERS:
        yield (
            f"variant: {config['variant']!r} is a folder that all variants share; "
            "choose another name"
        )
    dataset = config["dataset"]
    if dataset["source"] == "files" and not dataset["train"]:
        yield (
            "dataset.train is missing, but dataset.source is files; give it `images` (a folder) "
            "and `annotations` (a COCO JSON file)"
        )
    if dataset["source"] == "partworld" and dataset["train"]:
        yield "dataset.train is given, but dataset.source is partworld; set dataset.source to files"


def _prompt_faults(propose: Values) -> Iterator[str]:
    sources = [prompt["source"] for prompt in propose["prompts"]]
    if sources[0] != "point" or sources.count("point") != 1:
        yield f"propose.prompts: the first source, and no other, must be point, seen {sources}"


def _milestone_faults(section: str, milestones: list[float]) -> Iterator[str]:
    if milestones != sorted(milestones) or any(not 0 < share <= 1 for share in milestones):
        yield (
            f"{section}.milestones: {milestones} must rise from above 0 to 1 at most; they are "
            "shares of the training"
        )
