"""What keeps `snakemake label_cost` from running. An ordinary run asks for none of this.

The variants of that comparison bring pipelines of their own, which need not fit a config that never
runs them; so they are judged apart, and what is wrong with them is told when they are asked for.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from stages.settings.box_rules import box_faults
from stages.settings.judge import merged_faults
from stages.settings.overrides import FULLY_SUPERVISED, is_supervised, variant_config
from stages.settings.rounds import detector_faults, first_faults, round_names
from stages.settings.rules import feature_faults, section_faults

Values = Mapping[str, Any]


def cost_faults(config: Values) -> Iterator[str]:
    """Sentences without full stop; `config` is complete and judged otherwise."""
    names, dataset = config["label_cost"]["variants"], config["dataset"]
    if not dataset["ground_truth"]:
        yield (
            "dataset.ground_truth is false, but labels are held against the truth; give masks of "
            "the training images, and set it to true"
        )
    if not config["train"]["enabled"] or (dataset["source"] == "files" and not dataset["val"]):
        yield (
            "a detector is trained on each kind of labels and scored on held-out images; set "
            "train.enabled: true, and name dataset.val"
        )
    known = [config["variant"], *config["variants"], FULLY_SUPERVISED]
    for name in names:
        if name not in known:
            yield f"label_cost.variants: there is no variant {name!r}; known are {', '.join(known)}"
        elif not is_supervised(config["variants"], name):
            yield from (f"variants.{fault}" for fault in _variant_faults(config, name))


def _variant_faults(config: Values, name: str) -> Iterator[str]:
    """Of one variant, with its name before each."""
    yield from merged_faults(config, [name])
    for fault in first_faults(variant_config(config, name)):
        yield f"{name}: {fault}"
    for part in round_names(config, name):
        values = variant_config(config, part)
        found = (section_faults, box_faults, detector_faults, feature_faults)
        for fault in (fault for judge in found for fault in judge(values)):
            yield f"{part}: {fault}"
