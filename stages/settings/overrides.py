"""What a variant lays over the config. Plain values in, plain values out."""

import json
from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]
# the sections that a variant may change
OVERRIDDEN = (
    *("prepare", "fit_prompt", "prompt", "propose", "select", "refine", "export", "train"),
)
FULLY_SUPERVISED = "fully_supervised"  # no variant: its labels are the ground truth
FIXED = {"train": ("enabled", "engine")}  # keys that belong to the run: targets depend on them


def variant_config(config: Values, name: str) -> dict[str, Any]:
    """The whole config of a variant; the config itself for a name without an entry.

    Raises
    ------
    ValueError : `of` names no variant, or goes round in a circle.
    """
    merged: dict[str, Any] = json.loads(json.dumps(config))
    for entry in reversed(_chain(config["variants"], name)):
        for section in OVERRIDDEN:
            merged[section] = laid_over(merged[section], entry.get(section) or {})
    return merged


def is_supervised(variants: Values, name: str) -> bool:
    """Whether this is no variant but a detector that learns from the ground truth."""
    starts = [entry.get("of") for entry in _chain(variants, name)]
    return FULLY_SUPERVISED in (name, *starts)


def laid_over(base: Values, values: Values) -> dict[str, Any]:
    """Nested values, those of `values` over those of `base`."""
    merged = dict(base)
    for key, value in values.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = laid_over(merged[key], value) if both else value
    return merged


def _chain(variants: Values, name: str) -> list[Values]:
    """The entry of a variant, then those that it starts from."""
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
