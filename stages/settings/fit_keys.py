"""Which keys of a section a training depends on. Standard library alone."""

from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]
# What a training does not depend on: keys that only the choice afterwards reads
AFTER_FIT = {
    "select": ("method", "quality_exponent", "chunk"),
    "refine": (
        *("bms", "score", "pdg_exponent", "quality_exponent"),
        *("vote", "zoom", "clean", "mps", "chunk"),
    ),
}


def for_fit(values: Values, section: str, *, joint: bool = False) -> dict[str, Any]:
    """The keys of `select` or `refine` that a training depends on.

    BMS is among them only where it moves the boxes that PPG starts from; SAM's own quality only
    where PRM is trained with PSM (joint), on what PSM chooses at that step.
    """
    needed = {"quality_exponent"} if joint and section == "select" else set()
    bms = values.get("bms", {})
    if "psm" in bms.get("stages", ()) and bms.get("mode") != "none":
        needed.add("bms")
    unused = set(AFTER_FIT[section]) - needed
    return {key: value for key, value in values.items() if key not in unused}
