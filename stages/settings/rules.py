"""Rules that span sections of the config, or its variants; those of one section are in its file."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stages.learning.clue_networks import MAPS
from stages.learning.features import of_segmenter
from stages.learning.prompt_networks import NETWORKS
from stages.methods.prompter import PROMPTERS, is_looking
from stages.settings.box_rules import box_faults
from stages.settings.label_cost import KINDS
from stages.settings.overrides import FIXED, FULLY_SUPERVISED, is_supervised, variant_config
from stages.settings.rounds import detector_faults, first_faults, round_faults, round_names

Values = Mapping[str, Any]
SHARED_FOLDERS = (
    *(
        "partworld",
        "translate",
        "prepare",
        "fit_prompt",
        "prompt",
        "fit_propose",
        "propose",
        "answers",
        "embeddings",
        "links",
    ),
    *("report", "review", "label_cost", "logs", "benchmarks"),
)
OF_TAGS = ("oicr", "mist", "clue_top1")  # selectors of image tags
FROM_TAGS = ("adaptive_pgt", "top1_pgt")  # refiners of what such selectors score
OTHER_CLUES = "set fit_prompt.network: vit"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def run_faults(config: Values) -> Iterator[str]:
    """What is wrong with a complete config, its variants' own values apart.

    Raises
    ------
    ValueError : `of` of a variant names no variant, or goes round in a circle.
    """
    if config["variant"] in SHARED_FOLDERS:
        yield (
            f"variant: {config['variant']!r} is a folder that all variants share; "
            "choose another name"
        )
    for values in (config, *(variant_config(config, part) for part in _rounds(config))):
        yield from section_faults(values)
        yield from box_faults(values)
    yield from feature_faults(variant_config(config, config["variant"]))
    yield from round_faults(config)
    yield from _report_faults(config)
    for name, entry in config["variants"].items():
        yield from _variant_faults(config, name, entry)


def section_faults(config: Values) -> Iterator[str]:
    """Sections that do not go together, of the config or of one variant."""
    select, refine = config["select"], config["refine"]
    if select["method"] not in ("psm", *OF_TAGS) and refine["method"] == "prm":
        yield (
            f"refine.method: prm starts from PSM, but select.method is {select['method']}; set "
            "refine.method to as_it_is, or select.method to psm"
        )
    yield from _looking_faults(config)
    yield from _clue_faults(config)
    yield from _match_faults(config)
    yield from _tag_faults(config)
    if config["train"]["multi_mask"]["enabled"] and not config["export"]["extra_masks"]:
        yield "train.multi_mask is enabled, but export.extra_masks is 0; set it to 3"


def _match_faults(config: Values) -> Iterator[str]:
    """Labels of tags come from no object, so there is none to hold them against."""
    is_scored = config["dataset"]["ground_truth"] and config["evaluate"]["match"] == "instance"
    if config["prepare"]["labels"] == "tag" and is_scored:
        yield (
            "prepare.labels is tag, but evaluate.match is instance, and a label of a tag comes "
            "from no object; set evaluate.match: iou (or dataset.ground_truth: false)"
        )


def _tag_faults(config: Values) -> Iterator[str]:
    """Methods that know image tags alone, beside others that know objects."""
    select, refine = config["select"]["method"], config["refine"]["method"]
    labels = config["prepare"]["labels"]
    if select in OF_TAGS and labels in ("point", "box", "box_and_point"):
        yield (
            f"select.method: {select} chooses for image tags, but prepare.labels is {labels}; set "
            "prepare.labels to tag, or select.method to psm"
        )
    if select in OF_TAGS and refine not in FROM_TAGS:
        yield (
            f"select.method: {select} scores the proposals of whole images, but refine.method is "
            f"{refine}; set refine.method to {' or '.join(FROM_TAGS)}"
        )
    if select == "psm" and refine in FROM_TAGS:
        yield (
            f"refine.method: {refine} chooses among the proposals of whole images, but "
            f"select.method is psm; set select.method to {' or '.join(OF_TAGS)}"
        )


def feature_faults(config: Values) -> Iterator[str]:
    """Features from a segmenter that is not asked; of what runs: other variants may never."""
    segmenter = config["propose"]["segmenter"]
    for key, features, others in _looked_through(config):
        source, path = features.get("source"), features.get("path")
        if source and of_segmenter(source, path) and source != segmenter:
            yield (
                f"{key}.features.source: {source}, but propose.segmenter is {segmenter}; "
                f"{others}, or set propose.segmenter to {source}"
            )


def _looked_through(config: Values) -> Iterator[tuple[str, Values, str]]:
    """Blocks with features that are used: their keys, the features, and what else may be chosen."""
    method, network = config["select"]["method"], config["fit_prompt"]["network"]
    block = config["select"].get(method, {})
    yield f"select.{method}", block.get("features", {}), "choose resnet18, resnet50 or vgg16"
    if any(is_looking(entry["source"]) for entry in config["prompt"]["sources"]):
        block = config["fit_prompt"].get(network, {})
        others = "choose resnet18, resnet50 or vgg16" if network == "p2b" else OTHER_CLUES
        yield f"fit_prompt.{network}", block.get("features", {}), others


def _looking_faults(config: Values) -> Iterator[str]:
    """Sources that learn: two of them, with a network of another, or from labels of other kinds."""
    network, labels = config["fit_prompt"]["network"], config["prepare"]["labels"]
    names = [entry["source"] for entry in config["prompt"]["sources"]]
    learning = [name for name in names if is_looking(name)]
    if len(learning) > 1:
        yield (
            f"prompt.sources: {' and '.join(learning)} learn both, and fit_prompt trains one "
            "network; keep one of them"
        )
    for name in learning[:1]:
        fit = PROMPTERS[name].fit
        if NETWORKS[network].fit != fit:
            fitting = " or ".join(key for key, method in NETWORKS.items() if method.fit == fit)
            yield (
                f"prompt.sources: {name} does not ask the network that fit_prompt.network names, "
                f"{network}; set fit_prompt.network: {fitting}"
            )
    if "p2b" in names and labels in ("box", "tag"):
        yield (
            f"prompt.sources: p2b makes boxes of points, but prepare.labels is {labels}; set "
            "prepare.labels: point, or take p2b out"
        )


def _clue_faults(config: Values) -> Iterator[str]:
    """Clues alone, and maps that their network does not have."""
    network = config["fit_prompt"]["network"]
    names = [entry["source"] for entry in config["prompt"]["sources"]]
    if "clues" in names and "grid" not in names:
        yield (
            "prompt.sources: clues asks nothing about an image in which it sees no peak; add "
            "{source: grid} before it"
        )
    for entry in config["prompt"]["sources"]:
        known = MAPS.get(network, entry.get("maps", ()))  # a network of no maps is refused above
        lacking = [name for name in entry.get("maps", ()) if name not in known]
        if lacking:
            yield (
                f"prompt.sources: {entry['source']} looks at {' and '.join(lacking)} maps, but "
                f"fit_prompt.network is {network}, which has {' and '.join(MAPS[network])} alone; "
                "set fit_prompt.network: vit, or maps: [coarse]"
            )


def _report_faults(config: Values) -> Iterator[str]:
    known = _names(config)
    for key in ("variants", "detectors"):
        allowed = [*known, *([FULLY_SUPERVISED] if key == "detectors" else [])]
        for name in config["report"][key]:
            if name not in allowed:
                yield f"report.{key}: there is no variant {name!r}; known are {', '.join(allowed)}"


def _variant_faults(config: Values, name: str, entry: Values) -> Iterator[str]:
    if not NAME.fullmatch(name) or name in (*SHARED_FOLDERS, FULLY_SUPERVISED):
        yield f"variants.{name}: choose another name, of letters, digits, '_', '.' and '-'"
    if entry.get("over") and entry["over"] not in (*_names(config), FULLY_SUPERVISED):
        yield f"variants.{name}.over: there is no variant {entry['over']!r}"
    for section, keys in FIXED.items():
        for key in keys:
            if key in (entry.get(section) or {}):
                yield (
                    f"variants.{name}.{section}.{key}: this is the same for all variants of a "
                    f"run; set {section}.{key} itself"
                )
    if is_supervised(config["variants"], name) and name in config["report"]["variants"]:
        yield (
            f"report.variants: {name} learns from the ground truth and has no labels to "
            "compare; name it in report.detectors alone"
        )
    if is_apart(config, name):
        return
    for fault in first_faults(variant_config(config, name)):
        yield f"variants.{name}: {fault}"
    for part in round_names(config, name):
        for fault in section_faults(variant_config(config, part)):
            yield f"variants.{part}: {fault}"
    if name in _named(config):  # config.yaml's own, such as close ups, are others and may never run
        for part in round_names(config, name):
            values = variant_config(config, part)
            for fault in (*box_faults(values), *detector_faults(values)):
                yield f"variants.{part}: {fault}"


def is_apart(config: Values, name: str) -> bool:
    """Whether a variant is one of `snakemake label_cost` alone, which cost_rules judges."""
    entry, costed = config["variants"].get(name, {}), config["label_cost"]["variants"]
    brings_its_own = name in KINDS or name in costed or bool(entry.get("recipe"))
    return brings_its_own and name not in _named(config)


def _rounds(config: Values) -> list[str]:
    """Names of the rounds of the run's own variant."""
    return round_names(config, config["variant"])


def _named(config: Values) -> list[str]:
    """What runs: the run's variant, and what is compared."""
    report = config["report"]
    return [config["variant"], *report["variants"], *report["detectors"]]


def _names(config: Values) -> list[str]:
    return [config["variant"], *config["variants"]]
