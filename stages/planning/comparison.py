"""What is run and compared, variants times seeds: by `snakemake ablation`, and by `label_cost`.

Standard library alone.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stages.planning.cost_cases import CostCases
from stages.planning.homes import Case
from stages.planning.lineage import Variants, as_json

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The ablation of a config, and the comparison of kinds of labels.

    last : the last round of each variant that has several.
    plain : the case of the run without an ablation; plain_detector : whether it is scored by a
    detector. engine : that trains detectors.
    variants, seeds : what is compared; over : what each of them, and each detector, is compared
    with, or None.
    detectors, detector_seeds : what trains a detector: on the labels of one of `variants`, or on
    the ground truth.
    settings : JSON text of the section `report`. cost : what `label_cost` compares.
    """

    plain: Case
    plain_detector: bool
    engine: str
    variants: tuple[str, ...]
    seeds: tuple[int, ...]
    over: dict[str, str | None]
    detectors: tuple[str, ...]
    detector_seeds: tuple[int, ...]
    settings: str
    last: Mapping[str, str]
    cost: CostCases

    def compared(self) -> list[Case]:
        """Every variant's last round with every seed, seeds running fastest."""
        return self._cases(self.variants, self.seeds)

    def detected(self) -> list[Case]:
        """Every detector with every seed, seeds running fastest."""
        return self._cases(self.detectors, self.detector_seeds)

    def _cases(self, names: tuple[str, ...], seeds: tuple[int, ...]) -> list[Case]:
        return [Case(self.last[name], seed) for name, seed in itertools.product(names, seeds)]

    def cases(self) -> list[Case]:
        """All of them and the plain run, each once."""
        found = [self.plain, *self.compared(), *self.detected(), *self.cost.cases()]
        return list(dict.fromkeys(found))

    def over_json(self) -> str:
        """JSON text of `over`."""
        return as_json(self.over)

    def has_detector(self, case: Case) -> bool:
        """Whether a case is scored by a detector."""
        if case.seed is None:
            return self.plain_detector
        return case in self.detected() or case in self.cost.cases()


# keys of section `report` that are not the page's
COMPARED = ("variants", "seeds", "detectors", "detector_seeds")


def comparison_of(
    config: Values, variants: Variants, cost: CostCases, *, held_out: bool
) -> Comparison:
    """The comparisons of a complete and checked config; held_out: detectors can be scored."""
    report, truth = config["report"], config["dataset"]["ground_truth"]
    learnt = {
        name: truth
        if name in variants.supervised
        else variants.first_alike(variants.last(name), "export")
        for name in report["detectors"]
    }
    detectors = [name for name, labels in learnt.items() if held_out and labels]
    names = [*report["variants"], *detectors]
    return Comparison(
        plain=Case(variants.last(config["variant"])),
        plain_detector=held_out,
        engine=config["train"]["engine"],
        variants=tuple(report["variants"]),
        seeds=tuple(report["seeds"]),
        over={name: config["variants"].get(name, {}).get("over") for name in names},
        detectors=tuple(detectors),
        detector_seeds=tuple(report["detector_seeds"]),
        settings=as_json({key: report[key] for key in COMPARED}),
        last={name: variants.last(name) for name in names},
        cost=cost,
    )
