"""The homes: in which folder below `results/` the files of each stage lie, for every case.

A case is a variant of the run, with the seed of an ablation or, in the plain run, without. It reads
and writes in several homes, since cases share the files of a stage whose lineages are equal:

    plain run              <run>           what equals the config's own prepare, prompt and propose
                           <run>/<variant> the rest
    ablation, drawn world  <run>/seed-1 and <run>/seed-1/<variant>, since each seed draws its own
    ablation, files        <run> and <run>/<variant> for prepare, prompt and propose, which all
                           seeds share; <run>/<variant>/seed-1 for the rest

A round after the first has its own folder in that of its variant, `round-2` and so on, for the
stages that read the round before and for all after them.

What several compared variants share lies with the first of them. Scores are each case's own.
Standard library alone.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from stages.planning.lineage import BASE, SHARED, STAGES, Variants
from stages.planning.sources import NEVER
from stages.settings.overrides import parted, round_name

OWN = ("evaluate", "compare", "report", "review")  # stages of which every case has its own files


@dataclass(frozen=True, slots=True)
class Case:
    """A round of a variant, and the seed with which an ablation runs it; None in the plain run."""

    variant: str
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Homes:
    """What was dealt.

    run, seed : of the config. own_worlds : each seed draws its own data.
    of_case : the home of each stage, by case. reader : the case that a stage's home stands for, by
    stage and home; where cases share it, the first.
    """

    run: str
    seed: int
    own_worlds: bool
    of_case: Mapping[Case, Mapping[str, str]]
    reader: Mapping[tuple[str, str], Case]

    def at(self, case: Case, stage: str, name: str) -> str:
        """Path of the file `name` that a stage wrote, or is to write, for a case."""
        return f"results/{self.of_case[case][stage]}/{stage}/{name}"

    def expression(self, stage: str) -> str:
        """Regular expression of the homes in which a stage has files."""
        found = [re.escape(home) for other, home in self.reader if other == stage]
        return "|".join(found) or NEVER

    def seed_of(self, case: Case, stage: str) -> int:
        """The seed of a stage; what the seeds of an ablation share has the config's."""
        shared = stage in SHARED and not self.own_worlds
        return self.seed if case.seed is None or shared else case.seed

    def folder(self, case: Case) -> str:
        """The home of what a case shares with none."""
        return folder_of(self.run, case, own_worlds=self.own_worlds)


def deal(
    variants: Variants, cases: Iterable[Case], *, run: str, seed: int, own_worlds: bool
) -> Homes:
    """The homes of all cases; `own_worlds`: each seed draws its own data."""
    dealer = _Dealer(variants, run, own_worlds)
    wanted = [part for case in cases for part in with_former(variants, case)]
    of_case = {case: dealer.homes(case) for case in dict.fromkeys(wanted)}
    reader: dict[tuple[str, str], Case] = {}
    for case, homes in of_case.items():
        for stage, home in homes.items():
            reader.setdefault((stage, home), case)
    return Homes(run, seed, own_worlds, of_case, reader)


def folder_of(run: str, case: Case, *, own_worlds: bool) -> str:
    """The folder that bears the names of a case."""
    if case.seed is None:
        return f"{run}/{case.variant}"
    variant, number = parted(case.variant)
    names = [f"seed-{case.seed}", variant]
    folder = "/".join([run, *(names if own_worlds else reversed(names))])
    return round_name(folder, number)


def with_former(variants: Variants, case: Case) -> list[Case]:
    """A case and those of its earlier rounds, the latest first."""
    former = variants.former(case.variant)
    earlier = with_former(variants, replace(case, variant=former)) if former else []
    return [case, *earlier]


@dataclass(frozen=True, slots=True)
class _Dealer:
    variants: Variants
    run: str
    own_worlds: bool

    def homes(self, case: Case) -> dict[str, str]:
        """The home of each stage that a case has files of."""
        base, folder = self._base(case), folder_of(self.run, case, own_worlds=self.own_worlds)
        homes = {"partworld" if self.own_worlds else "translate": base}
        if case.variant in self.variants.supervised:
            # its photographs and classes; it learns from the truth
            homes |= {"prepare": base, "train": folder}
        else:
            has = [stage for stage in STAGES if self.variants.learns(case.variant, stage)]
            homes |= {stage: self._home(case, stage) for stage in has}
        return homes | dict.fromkeys(OWN, folder)

    def _base(self, case: Case) -> str:
        """The home of the data, and of what equals the config's."""
        seeded = self.own_worlds and case.seed is not None
        return f"{self.run}/seed-{case.seed}" if seeded else self.run

    def _home(self, case: Case, stage: str) -> str:
        lineage = self.variants.lineage
        former = self.variants.former(case.variant)
        if former and lineage(former, stage) == lineage(case.variant, stage):
            return self._home(replace(case, variant=former), stage)
        if stage in SHARED and lineage(case.variant, stage) == lineage(BASE, stage):
            return self._base(case)
        if case.seed is None:
            return folder_of(self.run, case, own_worlds=self.own_worlds)
        owner = self.variants.owner(case.variant, stage)
        seed = None if stage in SHARED and not self.own_worlds else case.seed
        owned = replace(case, variant=owner, seed=seed)
        return folder_of(self.run, owned, own_worlds=self.own_worlds)
