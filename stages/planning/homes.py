"""The variants of a run: their settings, their seeds, and the files that they share.

A plain run stands alone. In an ablation every variant is run with every seed, below
`<run>/seed-1/<variant>` where each seed draws its own world, below `<run>/<variant>/seed-1` where
all share prepare and propose; and variants that would train the same network share it: it lies in
the folder of the first of them. A variant that is compared by its detector alone shares the labels
too.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.settings.readers import chosen, for_fit

Values = Mapping[str, Any]
SEEDED = re.compile(r"(?P<name>.+)/seed-(?P<seed>\d+)")
FITS = ("fit_select", "fit_refine")  # stages that variants may share
LABELLING = ("select", "refine", "export")  # sections that decide the labels


@dataclass(frozen=True, slots=True)
class Variants:
    """Settings and folders of the variants.

    configs : the whole config of each variant, by name.
    compared : names in the order of the ablation's table; earlier ones own what is shared.
    seed : of a run without a seed of its own.
    supervised : names that stand for no variant but for a detector that learns from ground truth.
    """

    configs: Mapping[str, Values]
    compared: Sequence[str]
    seed: int
    supervised: Collection[str] = ()

    def settings(self, variant: str, section: str) -> str:
        """JSON text of a config section for a variant, with or without its seed."""
        return json.dumps(chosen(section, self._section(variant, section)), sort_keys=True)

    def fit_settings(self, variant: str, section: str) -> str:
        """JSON text of what a training depends on in `select` or `refine`."""
        values, joint = self._section(variant, section), self.is_joint(variant)
        return json.dumps(for_fit(section, values, joint=joint), sort_keys=True)

    def joint_settings(self, variant: str) -> list[str]:
        """JSON text of `refine` where PRM is trained with PSM, else nothing."""
        return [self.fit_settings(variant, "refine")] if self.is_joint(variant) else []

    def is_joint(self, variant: str) -> bool:
        """Whether fit_select trains both heads."""
        refine = self._section(variant, "refine")
        return bool(refine["method"] == "prm" and refine["prm"]["fit"] == "joint")

    def seed_of(self, run: str, variant: str = "") -> int:
        """The seed in the name of a run or of a variant, or that of the config."""
        found = SEEDED.fullmatch(variant) or SEEDED.fullmatch(run)
        return int(found["seed"]) if found else self.seed

    def made(self, run: str, variant: str, name: str) -> str:
        """Path of the file `name`, such as select/shard-0000-of-0002.parquet, of a variant."""
        plain, seed = without_seed(variant)
        stage = name.split("/")[0]
        if seed or SEEDED.fullmatch(run):
            plain = self._owner(plain, stage) if stage in FITS else plain
            plain = self.labelled_by(plain) or plain if stage == "export" else plain
        return f"results/{run}/{plain}{seed}/{name}"

    def labelled_by(self, variant: str) -> str | None:
        """The compared variant whose labels these are: itself, or the first that has the same."""
        if variant in self.compared:
            return variant
        wanted = self._labelling(variant)
        return next((name for name in self.compared if self._labelling(name) == wanted), None)

    def train_settings(self, variant: str, engine: str) -> str:
        """JSON text of `train` for a variant and an engine."""
        return json.dumps({**self._section(variant, "train"), "engine": engine}, sort_keys=True)

    def is_supervised(self, variant: str) -> bool:
        """Whether this is no variant but a detector that learns from the ground truth."""
        return without_seed(variant)[0] in self.supervised

    def model(self, run: str, variant: str, stage: str) -> list[str]:
        """The fitted model that `select` or `refine` reads; nothing where none is learned."""
        if self._section(variant, stage)["method"] not in ("psm", "prm"):
            return []
        fit = "fit_select" if stage == "select" or self.is_joint(variant) else "fit_refine"
        return [self.made(run, variant, f"{fit}/model.pt")]

    def _owner(self, variant: str, stage: str) -> str:
        wanted = self._lineage(variant, stage)
        learned = [
            name for name in self.compared if self._section(name, "select")["method"] == "psm"
        ]
        alike = [name for name in learned if self._lineage(name, stage) == wanted]
        return alike[0] if alike else variant

    def _lineage(self, variant: str, stage: str) -> list[str]:
        """All that decides a network, the data apart."""
        if variant not in self.configs:
            return [variant]
        lineage = [self.fit_settings(variant, "select"), *self.joint_settings(variant)]
        if stage == "fit_refine":
            lineage += [self.settings(variant, "select"), self.fit_settings(variant, "refine")]
        return lineage

    def _labelling(self, variant: str) -> list[str]:
        return [self.settings(variant, section) for section in LABELLING]

    def _section(self, variant: str, section: str) -> Any:
        return self.configs[without_seed(variant)[0]][section]


def without_seed(variant: str) -> tuple[str, str]:
    """A variant's name and `/seed-1` behind it, or nothing."""
    found = SEEDED.fullmatch(variant)
    return (found["name"], f"/seed-{found['seed']}") if found else (variant, "")
