"""The paths that the page of a run reads, and the list of what people had best look at.

The methods are Snakemake's input functions, as in `stage_inputs`. Standard library alone.
"""

from dataclasses import dataclass
from typing import Any

from stages.planning.round_inputs import RoundInputs
from stages.planning.stage_inputs import LABELS


@dataclass(frozen=True, slots=True)
class ShownInputs(RoundInputs):
    """The files that a stage reads, those that are shown to people too."""

    def objects(self, wildcards: Any) -> str:
        """What evaluate knows of each label."""
        return self._at(wildcards, "evaluate", "objects.parquet")

    def figure(self, wildcards: Any) -> str:
        """Evaluate's picture of labels and detector."""
        return self._at(wildcards, "evaluate", "figure.png")

    def benchmarks(self, wildcards: Any) -> list[str]:
        """Folders in which Snakemake writes what the jobs behind a case took."""
        homes = self.ground.homes.of_case[self.case(wildcards)].values()
        return [f"results/{home}/benchmarks" for home in dict.fromkeys(homes)]

    def reviewed(self, wildcards: Any) -> str:
        """The pseudo-labels that people are shown."""
        return self._at(wildcards, "export", LABELS)
