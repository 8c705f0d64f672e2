"""What the rule of a stage needs beside its files and resources: settings, seed, code, a launcher.

The methods are Snakemake's params functions, by the wildcards of a job. Standard library alone.
"""

import functools
import json
from dataclasses import dataclass
from typing import Any

from stages.engines.engine import ENGINES
from stages.formats.writer import KEEP, NUMBERED, WRITERS
from stages.planning.lineage import BASE, as_json
from stages.planning.modules import modules_of
from stages.planning.papers import FOLDER, differing, paper_of
from stages.planning.resources import FITTED, Resources
from stages.planning.stage_inputs import TRAINING
from stages.runtime.code import code_of

PROGRAMS = {
    **{"partworld": "stages.partworld.dataset"},
    **{"train_half": "stages.train", "predict_crossed": "stages.predict"},
}  # the others bear the name of their stage
OF_PAGE = ("cards", "picture")  # keys of section `report`
STAGED = (
    *("prepare", "prompt", "propose", "select", "refine", "grade", "export", "train"),
    "evaluate",
)
DETECTING = (*TRAINING, "predict", "predict_crossed", "predict_held_out")  # that open an engine


@dataclass(frozen=True, slots=True)
class StagePlan(Resources):
    """All that the rule of one stage asks, by its wildcards."""

    def seed(self, wildcards: Any) -> int:
        """Of every random choice of this stage."""
        return self.ground.homes.seed_of(self.case(wildcards), self.stage)

    def code(self, wildcards: Any) -> list[str]:
        """Digests of the program and of the methods that the settings choose."""
        variant = self.case(wildcards).variant
        if self.stage in DETECTING:
            modules: tuple[str, ...] = (ENGINES[wildcards.engine].module,)
        elif self.stage == "convert":
            modules = (WRITERS[wildcards.format].module,)
        else:
            read = self.format(wildcards)
            modules = modules_of(self.ground.variants, variant, self.stage, read=read)
        return _code_of(PROGRAMS.get(self.stage, f"stages.{self.stage}"), modules)

    def settings(self, wildcards: Any) -> str:
        """JSON text of the stage's own settings."""
        return as_json(self.values(wildcards))

    def values(self, wildcards: Any) -> dict[str, Any]:
        """The stage's own settings: of a training, only what it depends on."""
        variant, variants = self.case(wildcards).variant, self.ground.variants
        if self.stage in FITTED:
            return variants.fit_settings(variant, FITTED[self.stage])
        if self.stage in TRAINING:
            return self._train_values(wildcards)
        if self.stage == "translate":  # the same for all variants, as their truth is
            return variants.settings(BASE, "prepare")
        if self.stage == "predict_held_out":  # detections of any score are scored
            return {"chunk": variants.settings(variant, "predict")["chunk"]}
        if self.stage == "report":  # the rest of the section is the ablation's
            return {key: self.ground.config["report"][key] for key in OF_PAGE}
        section = {"compare": "evaluate", "predict_crossed": "predict"}.get(self.stage, self.stage)
        return variants.settings(variant, section)

    def facts(self, wildcards: Any) -> str:
        """JSON text of what a page tells of the settings, and how they differ from the paper's."""
        variant, variants = self.case(wildcards).variant, self.ground.variants
        config = variants.configs[variant]
        paper = paper_of(config)
        own = {name: variants.settings(variant, name) for name in STAGED}
        return as_json(
            {
                "title": wildcards.home,
                "paper": f"{FOLDER}/{paper}" if paper else None,
                "differing": differing(config, paper, self.ground.root) if paper else [],
                "settings": json.dumps(own, indent=1),
            }
        )

    def format(self, wildcards: Any) -> str:
        """In which the labels are."""
        return self.split(wildcards).format

    def reading(self, wildcards: Any) -> str:
        """JSON text of how photographs are read that no table tells of."""
        values = self.ground.variants.settings(BASE, "prepare")
        return as_json({name: values[name] for name in ("orientation", "depth")})

    def category_ids(self, wildcards: Any) -> str:
        """How `convert` numbers classes; where a format does not, it need not rerun."""
        if wildcards.format not in NUMBERED:
            return KEEP
        case = self.case(wildcards)
        return str(self.ground.variants.configs[case.variant]["export"]["category_ids"])

    def prompt_settings(self, wildcards: Any) -> str:
        """JSON text of section `prompt`."""
        return self._settings(wildcards, "prompt")

    def clue_settings(self, wildcards: Any) -> str:
        """JSON text of section `fit_prompt`."""
        return self._settings(wildcards, "fit_prompt")

    def seen_through(self, wildcards: Any) -> str:
        """JSON text of section `propose`, of what clues depend on alone."""
        return as_json(self.ground.variants.seen_through(self.case(wildcards).variant))

    def propose_settings(self, wildcards: Any) -> str:
        """JSON text of section `propose`."""
        return self._settings(wildcards, "propose")

    def select_settings(self, wildcards: Any) -> str:
        """JSON text of section `select`."""
        return self._settings(wildcards, "select")

    def train_settings(self, wildcards: Any) -> str:
        """JSON text of section `train`, of the engine of the job."""
        return as_json(self._train_values(wildcards))

    def joint_settings(self, wildcards: Any) -> list[str]:
        """JSON text of `refine` where both are trained together, else nothing."""
        variant, variants = self.case(wildcards).variant, self.ground.variants
        joint = variants.is_joint(variant)
        return [as_json(variants.fit_settings(variant, "refine"))] if joint else []

    def digests(self, wildcards: Any) -> list[str]:
        """Of the user's files that the stage reads itself; what is drawn has dates that count."""
        digests = self.ground.digests
        found = [digests.weights(file) for file in self.weight_files(self.case(wildcards).variant)]
        if self.stage == "prepare":
            found += map(digests.file, self.corrections(wildcards))
        if self.ground.homes.own_worlds:
            return found
        if self.stage == "fit_propose":
            return found + [digests.salient(salient) for salient in self.salient(wildcards)]
        train, held_out = self.split(wildcards), self.held_out(wildcards)
        if self.stage in (*TRAINING, "predict_held_out", "evaluate", "compare"):
            found += map(digests.labels, held_out)
        if self.stage == "evaluate" and self.ground.truth:
            found.append(digests.labels(train))
        if self.stage in (*TRAINING, "predict_held_out"):
            found += map(digests.photographs, held_out)
        if self.stage in ("prepare", "translate") or (
            self.stage == "train" and self.is_supervised(wildcards)
        ):
            found += [digests.labels(train), digests.photographs(train)]
        return found

    def links_flag(self, wildcards: Any) -> str:
        """Tells a stage that photographs may be links out of their folder."""
        return "--follow-links" if self.ground.config["dataset"]["follow_links"] else ""

    def truth_flag(self, wildcards: Any) -> str:
        """Tells prepare that masks are to score: none, or given as labels, they are refused."""
        return "--ground-truth" if self.ground.truth else ""

    def launcher(self, wildcards: Any) -> str:
        """How a training is started."""
        count = self.processes(wildcards)
        torchrun = f"python -m torch.distributed.run --standalone --nproc-per-node {count}"
        return torchrun if count > 1 else "python"

    def _train_values(self, wildcards: Any) -> dict[str, Any]:
        """Section `train` with the engine of the job, which need not be the config's."""
        train = self.ground.variants.settings(self.case(wildcards).variant, "train")
        return {**train, "engine": wildcards.engine}

    def _settings(self, wildcards: Any, section: str) -> str:
        return as_json(self.ground.variants.settings(self.case(wildcards).variant, section))


@functools.lru_cache(maxsize=256)
def _code_of(program: str, modules: tuple[str, ...]) -> list[str]:
    return code_of(program, *modules)
