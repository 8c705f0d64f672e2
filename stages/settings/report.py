"""Section `report`: the page of a run, and the ablation, variants side by side over seeds."""

from typing import Self

from pydantic import model_validator

from stages.settings.section import Annotated, Field, Section


class Report(Section):
    """What the page shows; what `snakemake ablation` runs and compares."""

    cards: Annotated[
        int,
        Field(
            ge=0,
            le=20000,
            description="labels that the page shows, at most; half of them the most doubtful",
        ),
    ] = 2000
    picture: Annotated[
        int, Field(ge=32, le=1024, description="px of the longer side of a label's picture there")
    ] = 256

    variants: Annotated[
        tuple[str, ...], Field(min_length=1, description="names out of `variants`, in table order")
    ] = (
        *("sam_top1", "mil", "pdg", "mil2", "ppg", "ppg_code", "npg", "pnpg", "pnpg_code"),
        *("full", "code", "staged", "guided", "negatives", "voted", "best"),
    )
    seeds: Annotated[
        tuple[int, ...],
        Field(
            min_length=1,
            description="each variant is run with each of them; with dataset.source partworld each "
            "draws its own world, else all share prepare and propose",
        ),
    ] = (0, 1, 2)
    detectors: Annotated[
        tuple[str, ...],
        Field(
            description="what trains a detector: a variant of `report.variants`, one that differs "
            "from such a variant in `train` alone, or fully_supervised: the ground truth, to which "
            "the others are compared; others are left out"
        ),
    ] = ("sam_top1", "full", "best", "fully_supervised")
    detector_seeds: Annotated[
        tuple[int, ...], Field(description="those of `seeds` with which detectors are trained")
    ] = (0,)

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        for key, names in (("variants", self.variants), ("detectors", self.detectors)):
            if len(set(names)) < len(names):
                raise ValueError(f"{{at}}.{key}: {list(names)} names one twice")
        for seed in self.detector_seeds:
            if seed not in self.seeds:
                raise ValueError(
                    f"{{at}}.detector_seeds: {seed} is not among {{at}}.seeds {list(self.seeds)}"
                )
        return self
