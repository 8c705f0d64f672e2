"""The paths that a stage reads of the round before, each in the home in which it lies.

The methods are Snakemake's input functions, as in `stage_inputs`. Standard library alone.
"""

from dataclasses import dataclass, replace
from typing import Any

from stages.planning.stage_inputs import Inputs

HALVES = (1, 2)  # of the images, as `stages.engines.halves` parts them


@dataclass(frozen=True, slots=True)
class RoundInputs(Inputs):
    """The files that a stage reads, those of the round before too."""

    def former_labels(self, wildcards: Any) -> list[str]:
        """Pseudo-labels of the round before, of this shard or of all, where they are read."""
        return self._former(wildcards, "refine", "refine", "shard")

    def former_predictions(self, wildcards: Any) -> list[str]:
        """What the detector of the round before sees in this shard, where it is read."""
        return self._answers(wildcards, "shard")

    def former_scores(self, wildcards: Any) -> list[str]:
        """How sure that detector is of its labels, likewise."""
        return self._answers(wildcards, "labels")

    def former_model(self, wildcards: Any) -> list[str]:
        """The segmenter of the round before, where that of this one learns from its labels.

        None where the former round asked another segmenter, or one that was given.
        """
        case, variants = self.case(wildcards), self.ground.variants
        former = variants.former(case.variant)
        if former is None or not variants.reads(case.variant, self.stage):
            return []
        alike = variants.method(former, "propose") == variants.method(case.variant, "propose")
        if not alike or not variants.learns(former, "fit_propose"):
            return []
        before = replace(case, variant=former)
        return [self.ground.homes.at(before, "fit_propose", "model.pt")]

    def detector_model(self, wildcards: Any) -> str:
        """The weights of the detector that a case has trained."""
        return self._at(wildcards, "train", f"{wildcards.engine}/model.pt")

    def half_models(self, wildcards: Any) -> list[str]:
        """The weights of the two detectors that have learned from half of the images each."""
        home = self.ground.homes.of_case[self.case(wildcards)]["train"]
        folder = f"results/{home}/train_half/{wildcards.engine}"
        return [f"{folder}/{half}/model.pt" for half in HALVES]

    def _answers(self, wildcards: Any, table: str) -> list[str]:
        """What the detector of the round before says, or, cross-fitted, two detectors."""
        block = self.ground.variants.block(self.case(wildcards).variant, "refine")
        folder = "predict_crossed" if block.get("cross_fit") else "predict"
        return self._former(
            wildcards, "predict", folder, f"{self.ground.comparison.engine}/{table}"
        )

    def _former(self, wildcards: Any, stage: str, folder: str, table: str) -> list[str]:
        """Files of a stage of the round before, in a folder of its home, where they are read."""
        case, variants = self.case(wildcards), self.ground.variants
        if stage not in variants.reads(case.variant, self.stage):
            return []
        before = replace(case, variant=variants.former(case.variant) or case.variant)
        one = getattr(wildcards, "shard", None)
        shards = (one,) if one else self.ground.shards
        at = f"results/{self.ground.homes.of_case[before][stage]}/{folder}/{table}"
        return [f"{at}-{shard}.parquet" for shard in shards]
