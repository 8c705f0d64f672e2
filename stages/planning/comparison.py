"""What `snakemake ablation` runs and compares: variants times seeds, and where their files lie."""

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stages.planning.homes import SEEDED, Variants, without_seed
from stages.settings.overrides import FULLY_SUPERVISED

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The ablation of a config.

    run, variant : names of the plain run; engine : that trains detectors.
    plain_detector : whether the plain run is scored by a detector.
    variants, seeds : what is compared; over : what each of them, and each detector, is compared
    with, or None.
    detectors, detector_seeds : what trains a detector: on the labels of one of `variants`, or on
    the ground truth.
    own_worlds : each seed draws its own data, so it is part of the run and not of the variant.
    settings : JSON text of the section `report`.
    """

    run: str
    variant: str
    engine: str
    plain_detector: bool
    variants: tuple[str, ...]
    seeds: tuple[int, ...]
    over: dict[str, str | None]
    detectors: tuple[str, ...]
    detector_seeds: tuple[int, ...]
    own_worlds: bool
    settings: str

    def runs(self) -> str:
        """Regular expression of the wildcard {run}."""
        return re.escape(self.run) + (self._seeds() if self.own_worlds else "")

    def variant_names(self) -> str:
        """Regular expression of the wildcard {variant}."""
        names = dict.fromkeys([self.variant, *self.variants, *self.detectors, FULLY_SUPERVISED])
        plain = "|".join(map(re.escape, names))
        return f"(?:{plain})" + ("" if self.own_worlds else self._seeds())

    def metrics(self) -> list[str]:
        """metrics.json of every variant with every seed, seeds running fastest."""
        return [self._metrics(*pair) for pair in itertools.product(self.variants, self.seeds)]

    def detector_metrics(self) -> list[str]:
        """metrics.json of every detector, seeds running fastest."""
        pairs = itertools.product(self.detectors, self.detector_seeds)
        return [self._metrics(*pair) for pair in pairs]

    def over_json(self) -> str:
        """JSON text of `over`."""
        return json.dumps(self.over, sort_keys=True)

    def has_detector(self, run: str, variant: str) -> bool:
        """Whether a detector is to be trained for this run and variant."""
        plain = without_seed(variant)[0]
        seed = SEEDED.fullmatch(run) or SEEDED.fullmatch(variant)
        if seed is None:
            return self.plain_detector
        return plain in self.detectors and int(seed["seed"]) in self.detector_seeds

    def _seeds(self) -> str:
        return "(?:/seed-(?:" + "|".join(map(str, self.seeds)) + "))?"

    def _metrics(self, variant: str, seed: int) -> str:
        both = (f"{self.run}/seed-{seed}/{variant}", f"{self.run}/{variant}/seed-{seed}")
        return f"results/{both[not self.own_worlds]}/evaluate/metrics.json"


def comparison_of(config: Values, variants: Variants, *, held_out: bool) -> Comparison:
    """The ablation of a complete and checked config; held_out: detectors can be scored."""
    report, truth = config["report"], config["dataset"]["ground_truth"]
    learnt = {
        name: truth if variants.is_supervised(name) else variants.labelled_by(name)
        for name in report["detectors"]
    }
    detectors = [name for name, labels in learnt.items() if held_out and labels]
    names = [*report["variants"], *detectors]
    return Comparison(
        run=config["run"],
        variant=config["variant"],
        engine=config["train"]["engine"],
        plain_detector=held_out,
        variants=tuple(report["variants"]),
        seeds=tuple(report["seeds"]),
        over={name: config["variants"].get(name, {}).get("over") for name in names},
        detectors=tuple(detectors),
        detector_seeds=tuple(report["detector_seeds"]),
        own_worlds=config["dataset"]["source"] == "partworld",
        settings=json.dumps(report, sort_keys=True),
    )
