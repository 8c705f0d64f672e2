"""What a variant lays over the config, and a later round over both. Plain values in, plain out.

A variant has rounds: the first bears its name, the second is `<name>/round-2`, and so on.
"""

import json
from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]
# the sections that a variant may change
OVERRIDDEN = (
    *("prepare", "fit_prompt", "prompt", "propose", "select", "refine", "grade", "export"),
    *("train", "predict"),
)
AGAIN = OVERRIDDEN[1:]  # that a later round may change: the labels stay
FULLY_SUPERVISED = "fully_supervised"  # no variant: its labels are the ground truth
ROUND = "/round-"  # between the name of a variant and the number of its round
FIXED = {"train": ("enabled", "engine")}  # keys that belong to the run: targets depend on them


def variant_config(config: Values, name: str) -> dict[str, Any]:
    """The whole config of a variant's round; the config itself for a name without an entry.

    Raises
    ------
    ValueError : `of` names no variant, or goes round in a circle.
    """
    name, number = parted(name)
    merged: dict[str, Any] = json.loads(json.dumps(config))
    chain = [*reversed(chain_of(config["variants"], name))]
    later = [entry.get("again") or {} for entry in (config, *chain)] if number > 1 else []
    for entry in (*chain, *later):
        for section in OVERRIDDEN:
            merged[section] = laid_over(merged[section], entry.get(section) or {})
    return merged


def round_name(name: str, number: int) -> str:
    """The name of a round of a variant; rounds count from 1."""
    return name if number == 1 else f"{name}{ROUND}{number}"


def parted(name: str) -> tuple[str, int]:
    """A variant's name and the number of its round."""
    variant, _, number = name.partition(ROUND)
    return variant, int(number or 1)


def wanted_rounds(config: Values, name: str) -> int:
    """How many rounds a variant is to have; raises as `variant_config`."""
    said = (entry.get("rounds") for entry in (*chain_of(config["variants"], name), config))
    return next((int(count) for count in said if count is not None), 1)


def is_supervised(variants: Values, name: str) -> bool:
    """Whether this is no variant but a detector that learns from the ground truth."""
    starts = [entry.get("of") for entry in chain_of(variants, name)]
    return FULLY_SUPERVISED in (name, *starts)


def laid_over(base: Values, values: Values) -> dict[str, Any]:
    """Nested values, those of `values` over those of `base`."""
    merged = dict(base)
    for key, value in values.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = laid_over(merged[key], value) if both else value
    return merged


def chain_of(variants: Values, name: str) -> list[Values]:
    """The entry of a variant, then those that it starts from; empty for a name without an entry.

    Raises
    ------
    ValueError : as `variant_config`.
    """
    seen, chain = [name], []
    while name in variants:
        chain.append(variants[name])
        name = variants[name].get("of")
        if name in (None, FULLY_SUPERVISED):
            break
        if name not in variants:
            raise ValueError(f"variants.{seen[-1]}.of: there is no variant {name!r}.")
        if name in seen:
            raise ValueError(f"variants.{seen[0]}.of: goes round in a circle: {[*seen, name]}.")
        seen.append(name)
    return chain
