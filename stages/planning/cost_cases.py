"""What `snakemake label_cost` runs and holds side by side. Standard library alone.

Its cases are planned like those of the ablation, whether they are asked for or not, so that every
job of a run sees the same plan. What keeps them from running is said only when they are asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stages.planning.homes import Case, Homes
from stages.planning.lineage import as_json
from stages.planning.links import Links
from stages.planning.weight_paths import with_paths
from stages.settings.cost_rules import cost_faults
from stages.settings.overrides import is_supervised, variant_config
from stages.settings.rounds import round_names

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CostCases:
    """The kinds of labels that are compared, and the seeds; none where `fault` says why not.

    last : the last round of each. supervised : those that learn from the ground truth.
    settings : JSON text of the section.
    """

    variants: tuple[str, ...]
    seeds: tuple[int, ...]
    last: Mapping[str, str]
    supervised: tuple[str, ...]
    settings: str
    fault: str = ""

    def cases(self) -> list[Case]:
        """Every kind with every seed, seeds running fastest; each trains a detector."""
        return [Case(self.last[name], seed) for name in self.variants for seed in self.seeds]


@dataclass(frozen=True, slots=True)
class LabelCostPlan:
    """The inputs of rule label_cost, and what it is told, without wildcards."""

    cases: CostCases
    homes: Homes = field(repr=False)  # Snakemake writes out its input functions

    def metrics(self, wildcards: Any) -> list[str]:
        """The metrics of every case; raises ValueError where the comparison cannot run."""
        if self.cases.fault:
            raise ValueError(f"label_cost: {self.cases.fault}.")
        return self._at("evaluate", "metrics.json")

    def weak_labels(self, wildcards: Any) -> list[str]:
        """The weak labels of every case; those of the run where it learns from the truth."""
        return self._at("prepare", "weak_labels.parquet")

    def categories(self, wildcards: Any) -> list[str]:
        """The classes of every case."""
        return self._at("prepare", "categories.parquet")

    def _at(self, stage: str, name: str) -> list[str]:
        return [self.homes.at(case, stage, name) for case in self.cases.cases()]


def cost_cases(config: Values, *, root: Path, links: Links) -> CostCases:
    """The comparison of a complete and checked config.

    Parameters
    ----------
    root, links : as `with_paths`.
    """
    section, entries = config["label_cost"], config["variants"]
    found: list[str] = [*section["variants"]]
    fault = _fault(config, root, links) if found else "label_cost.variants names none"
    names = () if fault else tuple(found)
    supervised = tuple(name for name in names if is_supervised(entries, name))
    return CostCases(
        variants=names,
        seeds=tuple(section["seeds"]),
        last={
            name: name if name in supervised else round_names(config, name)[-1] for name in names
        },
        supervised=supervised,
        settings=as_json(section),
        fault=fault,
    )


def _fault(config: Values, root: Path, links: Links) -> str:
    """Why the comparison cannot run, or ""."""
    names = config["label_cost"]["variants"]
    try:
        for fault in cost_faults(config):
            return fault
        for part in (part for name in names for part in round_names(config, name)):
            with_paths(variant_config(config, part), root, links)
    except ValueError as error:
        return str(error).removesuffix(".")
    return ""
