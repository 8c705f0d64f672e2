"""Which keys of a section count: those of the chosen method, and of them those that a fit reads."""

from collections.abc import Mapping
from typing import Any

from stages.methods.refiner import REFINERS
from stages.methods.selector import SELECTORS
from stages.segmenters.segmenter import SEGMENTERS

Values = Mapping[str, Any]
CHOICES = {
    "propose": ("segmenter", SEGMENTERS),
    "select": ("method", SELECTORS),
    "refine": ("method", REFINERS),
}
AFTER_FIT = {
    "select": ("method", "chunk", "quality_exponent"),
    "refine": ("method", "vote", "zoom", "clean", "mps", "chunk", "bms", "score", "pdg_exponent"),
}


def chosen(section: str, values: Values) -> dict[str, Any]:
    """The shared keys of a section, and the block of its chosen method."""
    key, table = CHOICES.get(section, ("", {}))
    others = set(table) - {values.get(key)}
    return {name: value for name, value in values.items() if name not in others}


def for_fit(section: str, values: Values, *, joint: bool = False) -> dict[str, Any]:
    """What a training of the section's chosen method depends on."""
    found = chosen(section, values)
    block = found.pop(values["method"], {})
    bms = block.get("bms", {})
    moved = bms and bms["mode"] != "none" and "psm" in bms["stages"]
    needed = {"quality_exponent"} if joint else {"bms"} if moved else set()
    unused = set(AFTER_FIT[section]) - needed
    kept = {key: value for key, value in block.items() if key not in unused}
    shared = {key: value for key, value in found.items() if key not in unused}
    return {**shared, values["method"]: kept}


def without_places(section: str, values: Values) -> dict[str, Any]:
    """All but the keys that say where a file lies."""
    return dict(values)
