"""The settings of each variant, and what decides the files of a stage: its lineage.

Two variants share a stage's files exactly when their lineages are equal: their settings of that
stage and of all before it, of each method the chosen one's alone. Standard library alone.
"""

import functools
import itertools
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from stages.learning.features import of_segmenter
from stages.methods.prompter import is_looking
from stages.runtime.doors import Method
from stages.settings.overrides import parted, round_name
from stages.settings.readers import DOORS, chosen, for_fit, reads_former

Values = Mapping[str, Any]
# stages that cases share where they equal the config's
SHARED = ("prepare", "fit_prompt", "prompt", "fit_propose", "propose")
STAGES = (
    *(*SHARED, "fit_select", "select", "fit_refine", "refine", "grade"),
    *("export", "train", "predict"),
)
BASE = ""  # the config itself, without a variant


@dataclass(frozen=True, slots=True, eq=False)
class Variants:
    """The variants of a run.

    configs : the whole config of each variant's rounds, by name; that of `BASE` has no variant's
    values.
    compared : names in the order of the ablation's table, each with all of its rounds; earlier ones
    own what is shared.
    costed : names of what `label_cost` compares beside them, likewise.
    supervised : names that stand for no variant but for a detector that learns from ground truth.
    rounds : of each variant that has more than one.
    """

    configs: Mapping[str, Values]
    compared: tuple[str, ...]
    costed: tuple[str, ...] = ()
    supervised: Collection[str] = ()
    rounds: Mapping[str, int] = field(default_factory=dict)

    def last(self, name: str) -> str:
        """The name of a variant's last round."""
        return round_name(name, self.rounds.get(name, 1))

    def former(self, name: str) -> str | None:
        """The name of the round before; None for a first round."""
        variant, number = parted(name)
        return round_name(variant, number - 1) if number > 1 else None

    def reads(self, name: str, stage: str) -> tuple[str, ...]:
        """Stages of the round before whose tables a stage reads; none in a first round."""
        if self.former(name) is None:
            return ()
        return reads_former(self.configs[name]).get(stage, ())

    def settings(self, name: str, section: str) -> dict[str, Any]:
        """The shared keys of a section and the chosen method's block."""
        return chosen(section, self.configs[name][section])

    def method(self, name: str, section: str) -> Method:
        """What stands behind the name that a section with a door has chosen."""
        key, door = DOORS[section]
        return door[self.configs[name][section][key]]

    def block(self, name: str, section: str) -> dict[str, Any]:
        """The keys of the chosen method alone; empty where it has none."""
        values = self.settings(name, section)
        found: dict[str, Any] = values.get(values[DOORS[section][0]]) or {}
        return found

    def fit_settings(self, name: str, section: str) -> dict[str, Any]:
        """What a training of `fit_prompt`, `propose`, `select` or `refine` depends on."""
        return for_fit(section, self.configs[name][section], joint=self.is_joint(name))

    def is_joint(self, name: str) -> bool:
        """Whether fit_select trains the refiner too."""
        joint = self.method(name, "refine").joint
        return bool(joint) and self.block(name, "refine").get("fit") == "joint"

    def looks(self, name: str) -> bool:
        """Whether a prompter looks at photographs, so that prompts are a stage of their own."""
        entries = self.settings(name, "prompt")["sources"]
        return any(is_looking(entry["source"]) for entry in entries)

    def seen_through(self, name: str) -> dict[str, Any]:
        """Of section `propose` what such a prompter depends on: the segmenter it looks through."""
        features = self.block(name, "fit_prompt").get("features") or {}
        if not features or not of_segmenter(features["source"], features["path"]):
            return {}
        values = self.settings(name, "propose")
        key = values["segmenter"]
        return {"segmenter": key, **({key: values[key]} if key in values else {})}

    def learns(self, name: str, stage: str) -> bool:
        """Whether a variant has this stage; those that learn nothing have no fit."""
        if stage in ("fit_prompt", "prompt"):
            is_frozen = stage == "fit_prompt" and self.settings(name, "fit_prompt")["model"]
            return self.looks(name) and not is_frozen
        if stage == "fit_propose":
            fits = bool(self.method(name, "propose").fit)
            return fits and not self.block(name, "propose")["model"]
        if stage == "fit_select":
            return bool(self.method(name, "select").fit)
        if stage == "fit_refine":
            return bool(self.method(name, "refine").fit) and not self.is_joint(name)
        return True

    def lineage(self, name: str, stage: str) -> tuple[str, ...]:
        """Texts that decide the files of a stage from `STAGES`, the data and the seed apart."""
        return _lineage(self, name, stage)

    def first_alike(self, name: str, stage: str) -> str | None:
        """The first compared variant with the same files of a stage, itself perhaps."""
        return self._first(self.compared, name, stage)

    def owner(self, name: str, stage: str) -> str:
        """The first of all that run with the same files of a stage, itself perhaps."""
        return self._first((*self.compared, *self.costed), name, stage) or name

    def _first(self, names: tuple[str, ...], name: str, stage: str) -> str | None:
        wanted = self.lineage(name, stage)
        return next((other for other in names if self.lineage(other, stage) == wanted), None)


@functools.lru_cache(maxsize=4096)
def _lineage(variants: Variants, name: str, stage: str) -> tuple[str, ...]:
    until = STAGES[: STAGES.index(stage) + 1]
    return tuple(itertools.chain.from_iterable(_texts(variants, name, step) for step in until))


def _texts(variants: Variants, name: str, stage: str) -> list[str]:
    """What a stage adds to the lineage of those after it."""
    return [*_own_texts(variants, name, stage), *_former_texts(variants, name, stage)]


def _former_texts(variants: Variants, name: str, stage: str) -> list[str]:
    """All that decides what is read of the round before."""
    former = variants.former(name)
    read = variants.reads(name, stage)
    return [text for other in read for text in ("former", *variants.lineage(str(former), other))]


def _own_texts(variants: Variants, name: str, stage: str) -> list[str]:
    """The settings of a stage."""
    if stage in ("fit_prompt", "prompt") and variants.looks(name):
        return _looking_texts(variants, name, stage)
    if not stage.startswith("fit_"):
        return [as_json(variants.settings(name, stage))]
    if not variants.learns(name, stage):
        return []
    joint = stage == "fit_select" and variants.is_joint(name)
    sections = [stage.removeprefix("fit_"), *(["refine"] if joint else [])]
    return [as_json(variants.fit_settings(name, section)) for section in sections]


def _looking_texts(variants: Variants, name: str, stage: str) -> list[str]:
    """Of the network of clues and of what looks through it."""
    seen = as_json(variants.seen_through(name))
    if stage == "prompt":
        return [as_json(variants.settings(name, section)) for section in ("fit_prompt", stage)]
    is_fitted = variants.learns(name, stage)
    return [as_json(variants.fit_settings(name, stage)), seen] if is_fitted else [seen]


def as_json(values: Values) -> str:
    """JSON text of settings, equal for equal values."""
    return json.dumps(values, sort_keys=True)
