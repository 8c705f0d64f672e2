"""Which keys of a section are read by whom: plain values in, plain values out.

A section with a door holds a block of keys for each of its methods, and a stage gets the block of
the chosen one alone. A training gets the keys that it depends on, so that variants which differ in
others share it.
"""

from collections.abc import Mapping
from typing import Any

from stages.learning.prompt_networks import NETWORKS
from stages.methods.refiner import REFINERS
from stages.methods.selector import SELECTORS
from stages.runtime.doors import Method
from stages.segmenters.segmenter import SEGMENTERS
from stages.settings.estimate import Estimate
from stages.settings.evaluate import Evaluate
from stages.settings.export import Export
from stages.settings.fit_prompt import FitPrompt
from stages.settings.grade import Grade
from stages.settings.label_cost import LabelCost
from stages.settings.predict import Predict
from stages.settings.prepare import Prepare
from stages.settings.prompt import Prompt
from stages.settings.propose import Propose
from stages.settings.refine import Refine
from stages.settings.report import Report
from stages.settings.review import Review
from stages.settings.section import CHOOSE, CONVERT, PLACE, Section, has_mark, unmarked
from stages.settings.select import Select
from stages.settings.sentences import models_in
from stages.settings.train import Train

Values = Mapping[str, Any]
SECTIONS: dict[str, type[Section]] = {
    "prepare": Prepare,
    "fit_prompt": FitPrompt,
    "prompt": Prompt,
    "propose": Propose,
    "select": Select,
    "refine": Refine,
    "grade": Grade,
    "export": Export,
    "train": Train,
    "predict": Predict,
    "evaluate": Evaluate,
    "report": Report,
    "review": Review,
    "label_cost": LabelCost,
    "estimate": Estimate,
}
DOORS: dict[str, tuple[str, Mapping[str, Method]]] = {  # the key that names the method, its table
    "fit_prompt": ("network", NETWORKS),
    "propose": ("segmenter", SEGMENTERS),
    "select": ("method", SELECTORS),
    "refine": ("method", REFINERS),
}
UNKNOWN = Method("")


def chosen(section: str, values: Values) -> dict[str, Any]:
    """The shared keys of a section, and the block of the chosen method alone.

    Keys that stage `convert` alone reads are left out.
    """
    if section not in DOORS:
        return unmarked(SECTIONS[section], values, CONVERT)
    key, door = DOORS[section]
    return {
        name: value for name, value in values.items() if name not in door or name == values[key]
    }


def for_fit(section: str, values: Values, *, joint: bool = False) -> dict[str, Any]:
    """What a training of the chosen method depends on; all that only others read is left out.

    Parameters
    ----------
    values : of a whole section, or of `chosen`.
    joint : the method is trained together with that of the next stage.
    """
    kept = {}
    for name, value in chosen(section, values).items():
        info = SECTIONS[section].model_fields[name]
        if name in DOORS[section][1]:
            kept[name] = _block_for_fit(models_in(info.annotation)[0], value, joint=joint)
        elif not has_mark(info, CHOOSE):
            kept[name] = value
    return kept


def reads_former(config: Values) -> dict[str, tuple[str, ...]]:
    """By stage, the stages of the round before whose tables it reads, in a round after the first.

    Parameters
    ----------
    config : whole, of one round.
    """
    found = {}
    for section, (key, door) in DOORS.items():
        name = config[section][key]
        method = door.get(name, UNKNOWN)  # of a name that no door has, others tell
        is_frozen = bool((config[section].get(name) or {}).get("model"))
        if method.former and not (method.fit and is_frozen):
            found[f"fit_{section}" if method.fit else section] = method.former
    return found


def asks_again(refine: Values) -> bool:
    """Whether `refine` asks the segmenter, from the section's plain values."""
    return bool(refine["zoom"]["enabled"]) or asks_with_boxes(refine)


def asks_with_boxes(refine: Values) -> bool:
    """Whether the chosen method of `refine` asks the segmenter with boxes."""
    block = refine.get(refine["method"]) or {}
    return not refine["zoom"]["enabled"] and block.get("mask_source") == "box_prompt"


def without_places(section: str, values: Values) -> dict[str, Any]:
    """As `provenance_values`, from plain values: without where a file lies."""
    return unmarked(SECTIONS[section], values, PLACE, CONVERT)


def _block_for_fit(kind: Any, values: Values, *, joint: bool) -> dict[str, Any]:
    also = kind.also_for_fit(values, joint=joint)
    fields = kind.model_fields
    return {k: v for k, v in values.items() if k in also or not has_mark(fields[k], CHOOSE)}
