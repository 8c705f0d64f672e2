"""The paths that the rule of a stage reads, each in the home in which it lies for that case.

The methods are Snakemake's input functions: each takes the wildcards of a job, of which `home` says
whose job it is. Standard library alone.
"""

from dataclasses import dataclass, field
from typing import Any

from stages.planning.ground import Ground
from stages.planning.homes import Case
from stages.planning.sources import Salient, Split, Weights, translated
from stages.planning.weight_files import frozen_network, frozen_segmenter, weight_files_once

LABELS = "pseudo_labels.json"
BESIDE = {  # stage: the one in whose homes its files lie
    **{"convert": "export", "predict_held_out": "train"},
    **{"train_half": "train", "predict_crossed": "predict"},
}
TRAINING = ("train", "train_half")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files that a stage reads, by the wildcards of its rule."""

    stage: str
    ground: Ground = field(repr=False)  # Snakemake writes out its input functions

    @property
    def homes(self) -> str:
        """Regular expression of the homes that this stage has files in."""
        return self.ground.homes.expression(BESIDE.get(self.stage, self.stage))

    def case(self, wildcards: Any) -> Case:
        """Whose files lie in this home; the first of those that share them."""
        return self.ground.homes.reader[BESIDE.get(self.stage, self.stage), wildcards.home]

    def image_folder(self, wildcards: Any) -> str:
        """Folder of the split's photographs."""
        return self.split(wildcards).images

    def annotations(self, wildcards: Any) -> str:
        """File or folder of the split's labels."""
        return self.split(wildcards).annotations

    def known_classes(self, wildcards: Any) -> list[str]:
        """Table of the classes of the training labels, whose numbers held-out labels take."""
        return [self.categories(wildcards)] if wildcards.split == "val" else []

    def corrections(self, wildcards: Any) -> list[str]:
        """What people have made of labels: of the data of the run, not of worlds of other seeds."""
        is_drawn_anew = self.ground.homes.own_worlds and self.case(wildcards).seed is not None
        return [] if is_drawn_anew else [*self.ground.corrections]

    def truth(self, wildcards: Any) -> list[str]:
        """The training annotations as COCO where they hold true masks, else nothing."""
        found = [self._as_coco(wildcards, self.split(wildcards), "train")]
        return found if self.ground.truth else []

    def val_image_folder(self, wildcards: Any) -> list[str]:
        """Folder of the held-out photographs, where there are any."""
        return [split.images for split in self.held_out(wildcards)]

    def val_annotations(self, wildcards: Any) -> list[str]:
        """File of the held-out annotations as COCO, where there are any."""
        return [self._as_coco(wildcards, split, "val") for split in self.held_out(wildcards)]

    def images(self, wildcards: Any) -> str:
        """Table of the images."""
        return self._at(wildcards, "prepare", "images.parquet")

    def weak_labels(self, wildcards: Any) -> str:
        """Table of the weak labels."""
        return self._at(wildcards, "prepare", "weak_labels.parquet")

    def categories(self, wildcards: Any) -> str:
        """Table of the classes."""
        return self._at(wildcards, "prepare", "categories.parquet")

    def proposals(self, wildcards: Any) -> list[str]:
        """Table of this shard, or of all."""
        return self._shards(wildcards, "propose")

    def selections(self, wildcards: Any) -> list[str]:
        """Table of this shard, or of all."""
        return self._shards(wildcards, "select")

    def pseudo_labels(self, wildcards: Any) -> list[str]:
        """Table of this shard, or of all."""
        return self._shards(wildcards, "refine")

    def grades(self, wildcards: Any) -> list[str]:
        """Table of this shard, or of all."""
        return self._shards(wildcards, "grade")

    def trails(self, wildcards: Any) -> list[str]:
        """Table of this shard, or of all."""
        return self._shards(wildcards, "refine", "trail")

    def prompts(self, wildcards: Any) -> list[str]:
        """Table of this shard's prompts, where a prompter has looked at the photographs."""
        looks = self.ground.variants.looks(self.case(wildcards).variant)
        return self._shards(wildcards, "prompt") if looks else []

    def prompt_model(self, wildcards: Any) -> list[str]:
        """The network that learns where to ask: trained here, or frozen and the user's own."""
        variant, variants = self.case(wildcards).variant, self.ground.variants
        if variants.learns(variant, "fit_prompt"):
            return [self._at(wildcards, "fit_prompt", "model.pt")]
        return [file.path for file in frozen_network(variants, variant)]

    def propose_model(self, wildcards: Any) -> list[str]:
        """The segmenter's network where it learns: trained here, or frozen and the user's own."""
        variant, variants = self.case(wildcards).variant, self.ground.variants
        if variants.learns(variant, "fit_propose"):
            return [self._at(wildcards, "fit_propose", "model.pt")]
        return [file.path for file in frozen_segmenter(variants, variant)]

    def teacher_model(self, wildcards: Any) -> list[str]:
        """That network, for a refiner that looks through it."""
        looks = self.ground.variants.method(self.case(wildcards).variant, "refine").teacher
        return self.propose_model(wildcards) if looks else []

    def salient_images(self, wildcards: Any) -> list[str]:
        """Folder of the images that have one object, where there are any and they are read."""
        return [salient.images for salient in self.salient(wildcards)]

    def salient_masks(self, wildcards: Any) -> list[str]:
        """Folder of the masks of those objects, likewise."""
        return [salient.masks for salient in self.salient(wildcards)]

    def salient_listed(self, wildcards: Any) -> list[str]:
        """The user's own list of those images that count, where there is one."""
        return [salient.listed for salient in self.salient(wildcards) if salient.listed]

    def salient_single(self, wildcards: Any) -> float:
        """Least share of its largest component that a salient mask counts from; 0: all count."""
        given = self.ground.config["dataset"]["salient"] or {}
        is_read = self.salient(wildcards) and not self.ground.homes.own_worlds
        return float(given.get("single", 0)) if is_read else 0.0

    def salient(self, wildcards: Any) -> list[Salient]:
        """The salient images, where the segmenter that is trained reads them."""
        world, variants = self._world(wildcards), self.ground.variants
        is_read = variants.method(self.case(wildcards).variant, "propose").salient
        return [salient.below(world) for salient in self.ground.salient if is_read]

    def select_model(self, wildcards: Any) -> list[str]:
        """The network of `select`, where it learns."""
        learns = self.ground.variants.learns(self.case(wildcards).variant, "fit_select")
        return [self._at(wildcards, "fit_select", "model.pt")] if learns else []

    def refine_model(self, wildcards: Any) -> list[str]:
        """The network of `refine`, where it learns: its own, or that of both."""
        variant = self.case(wildcards).variant
        if self.ground.variants.is_joint(variant):
            return self.select_model(wildcards)
        learns = self.ground.variants.learns(variant, "fit_refine")
        return [self._at(wildcards, "fit_refine", "model.pt")] if learns else []

    def exported(self, wildcards: Any) -> list[str]:
        """The pseudo-labels that are scored; none where only a detector is."""
        scored = self._is_scored(self.case(wildcards))
        return [self._at(wildcards, "export", LABELS)] if scored else []

    def labels(self, wildcards: Any) -> list[str]:
        """The pseudo-labels that a detector learns from."""
        if self.is_supervised(wildcards):
            return []
        return [self._at(wildcards, "export", LABELS)]

    def taught(self, wildcards: Any) -> list[str]:
        """The ground truth, for a detector that learns from it, for comparison."""
        return self.truth(wildcards) if self.is_supervised(wildcards) else []

    def predictions(self, wildcards: Any) -> list[str]:
        """What the detector that a case is scored by says, where one is trained."""
        return self._detector(wildcards, "predict", "predictions.json")

    def training(self, wildcards: Any) -> list[str]:
        """The facts of that detector's training."""
        return self._detector(wildcards, "train", "training.json")

    def weights(self, wildcards: Any) -> list[str]:
        """Weight files of the networks that the stage runs."""
        return [weights.path for weights in self.weight_files(self.case(wildcards).variant)]

    def weight_files(self, variant: str) -> list[Weights]:
        """Those files with their checksums."""
        return list(weight_files_once(self.ground.variants, self.stage, variant))

    def is_supervised(self, wildcards: Any) -> bool:
        """Whether the case is a detector that learns from the ground truth."""
        return self.case(wildcards).variant in self.ground.variants.supervised

    def split(self, wildcards: Any) -> Split:
        """The training split, or of what is translated the one that is."""
        if self.stage == "translate" and wildcards.split == "val":
            return self.held_out(wildcards)[0]
        return self.ground.train.below(self._world(wildcards))

    def held_out(self, wildcards: Any) -> list[Split]:
        """The held-out split, or none; a training reads it where it is told to look at it."""
        train = self.ground.variants.configs[self.case(wildcards).variant]["train"]
        if self.stage in TRAINING and not train["evaluate_every"]:
            return []
        return [split.below(self._world(wildcards)) for split in self.ground.held_out]

    def _as_coco(self, wildcards: Any, split: Split, name: str) -> str:
        """The user's own file, or what `translate` makes of it."""
        if name not in translated(self.ground.train, self.ground.held_out):
            return split.annotations
        return self._at(wildcards, "translate", f"{name}.json")

    def _world(self, wildcards: Any) -> str:
        """Where the data are drawn; of no use where they lie on disk."""
        return self.ground.homes.of_case[self.case(wildcards)].get("partworld", "")

    def _at(self, wildcards: Any, stage: str, name: str) -> str:
        return self.ground.homes.at(self.case(wildcards), stage, name)

    def _shards(self, wildcards: Any, stage: str, table: str = "shard") -> list[str]:
        if self.stage == "evaluate" and not self._is_scored(self.case(wildcards)):
            return []
        one = getattr(wildcards, "shard", None)
        shards = (one,) if one else self.ground.shards
        return [self._at(wildcards, stage, f"{table}-{shard}.parquet") for shard in shards]

    def _is_scored(self, case: Case) -> bool:
        """Whether the labels of a case are scored, and not its detector alone."""
        variants = self.ground.variants
        is_compared = case.variant in (*variants.compared, *variants.costed)
        return case.variant not in variants.supervised and (case.seed is None or is_compared)

    def _detector(self, wildcards: Any, stage: str, name: str) -> list[str]:
        """A file of the detector that a case is scored by, in the home of its training."""
        case, comparison = self.case(wildcards), self.ground.comparison
        home = self.ground.homes.of_case[case].get("train")
        found = comparison.has_detector(case)
        return [f"results/{home}/{stage}/{comparison.engine}/{name}"] if found else []
