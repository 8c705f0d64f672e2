"""From the config to what the rules need: homes, inputs, settings as JSON, targets.

The Snakefile calls `plan_of` once, so that the rules hold no logic. Files that the user named are
looked for here, before anything runs. Standard library alone.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.formats.writer import FROM_ONE
from stages.planning.comparison import Comparison, comparison_of
from stages.planning.cost_cases import LabelCostPlan, cost_cases
from stages.planning.digests import Digests
from stages.planning.estimated import estimated
from stages.planning.ground import Ground
from stages.planning.homes import Homes, deal
from stages.planning.lineage import BASE, Variants
from stages.planning.links import Links
from stages.planning.notes import add_notes
from stages.planning.sources import corrections_of, salient_sets, splits, translated
from stages.planning.stage_plan import StagePlan
from stages.planning.weight_files import weight_files_of_all
from stages.planning.weight_paths import fetched, with_paths
from stages.settings.overrides import FULLY_SUPERVISED, is_supervised, variant_config
from stages.settings.rounds import round_names
from stages.tables.shard_names import shard_names

Values = Mapping[str, Any]
PLANNED = (
    *("partworld", "translate", "prepare", "fit_prompt", "prompt", "fit_propose", "propose"),
    *("fit_select", "select", "fit_refine", "refine", "grade", "export", "convert"),
    *("train", "train_half", "predict", "predict_crossed", "predict_held_out"),
    *("evaluate", "compare", "report", "review"),
)
# below results/<run>: {home of a case: {stage: its home}}, and {"train": folder of photographs}
HOMES, PHOTOGRAPHS = "homes.json", "photographs.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the rules take from the config: of each stage what it asks, by its wildcards.

    Attributes
    ----------
    folder : of the run. shards : names such as 0003-of-0128.
    fetched : regular expression of the weight files that have to be fetched first.
    comparison : what the ablation compares; metrics, detector_metrics : the files that it reads.
    label_cost : what `snakemake label_cost` reads.
    compared_engines, reviewed : home of `snakemake compare_engines`, of `snakemake tasks`.
    targets : what the run is to make. watched : the data are the user's own files.
    translated : names of the splits whose labels become COCO first.
    """

    folder: Path
    shards: tuple[str, ...]
    fetched: str
    homes: Homes
    comparison: Comparison
    metrics: tuple[str, ...]
    detector_metrics: tuple[str, ...]
    label_cost: LabelCostPlan
    compared_engines: str
    reviewed: str
    targets: tuple[str, ...]
    watched: bool
    translated: tuple[str, ...]
    partworld: StagePlan
    translate: StagePlan
    prepare: StagePlan
    fit_prompt: StagePlan
    prompt: StagePlan
    fit_propose: StagePlan
    propose: StagePlan
    fit_select: StagePlan
    select: StagePlan
    fit_refine: StagePlan
    refine: StagePlan
    grade: StagePlan
    export: StagePlan
    convert: StagePlan
    train: StagePlan
    train_half: StagePlan
    predict: StagePlan
    predict_crossed: StagePlan
    predict_held_out: StagePlan
    evaluate: StagePlan
    compare: StagePlan
    report: StagePlan
    review: StagePlan

    @property
    def answers(self) -> str:
        """Folder of what segmenters have answered, for all variants and seeds of the run."""
        return str(self.folder / "answers")

    @property
    def embeddings(self) -> str:
        """Folder of what SAM's image encoder gave, likewise."""
        return str(self.folder / "embeddings")

    def estimated(self, wildcards: Any) -> str:
        """JSON text of the run, for `snakemake estimate`; a params function."""
        return estimated(self.propose.ground)

    def stages(self) -> dict[str, StagePlan]:
        """The plan of each stage, by name."""
        return {name: getattr(self, name) for name in PLANNED}

    def ending(self) -> list[str]:
        """What a person hears after a run: warnings, and where masks, page and comparisons are."""
        found = {
            "masks": self.homes.at(self.comparison.plain, "export", "pseudo_labels.json"),
            "tasks": self.homes.at(self.comparison.plain, "review", "review.csv"),
            "page": self.homes.at(self.comparison.plain, "report", "index.html"),
            "ablation": f"{self.folder}/report/ablation.md",
            "labels and their cost": f"{self.folder}/label_cost/label_cost.md",
        }
        there = [f"{name}: {path}" for name, path in found.items() if Path(path).is_file()]
        page = Path(self.homes.at(self.comparison.plain, "report", "warnings.txt"))
        warned = page.read_text(encoding="utf-8").splitlines() if page.is_file() else []
        return [*warned, *(["; ".join(there) + "."] if there else [])]

    def note_homes(self) -> None:
        """Write down where files and photographs lie, for people and for `stages.inspect`."""
        of_case = self.homes.of_case
        notes = {self.homes.folder(case): dict(homes) for case, homes in of_case.items()}
        add_notes(self.folder / HOMES, notes)
        add_notes(self.folder / PHOTOGRAPHS, {"train": self.prepare.ground.train.images})


def plan_of(config: Values, *, root: Path, fresh: bool = True) -> Plan:
    """The plan of a complete and checked config.

    Parameters
    ----------
    root : the repository; paths that are not found from the working folder are looked for here.
    fresh : whether the user's files are looked at for their digests, and linked where Snakemake
        cannot read their names, as the main process does.

    Raises
    ------
    ValueError : a variable is not set, or a file that the config names is missing.
    """
    ground = _ground_of(config, root, fresh=fresh)
    variants, homes, comparison = ground.variants, ground.homes, ground.comparison
    plans = {name: StagePlan(name, ground) for name in PLANNED}
    export = variants.configs[comparison.plain.variant]["export"]
    return Plan(
        folder=Path("results", config["run"]),
        shards=ground.shards,
        fetched=fetched(file.path for file in weight_files_of_all(variants)),
        homes=homes,
        comparison=comparison,
        metrics=tuple(homes.at(case, "evaluate", "metrics.json") for case in comparison.compared()),
        detector_metrics=tuple(
            homes.at(case, "evaluate", "metrics.json") for case in comparison.detected()
        ),
        label_cost=LabelCostPlan(comparison.cost, homes),
        compared_engines=homes.of_case[comparison.plain]["compare"],
        reviewed=homes.of_case[comparison.plain]["review"],
        targets=_targets(config, export, homes, comparison),
        watched=not homes.own_worlds,
        translated=translated(ground.train, ground.held_out),
        **plans,
    )


def _ground_of(config: Values, root: Path, *, fresh: bool) -> Ground:
    """What the plans of all stages stand on; raises as `plan_of`."""
    folder, dataset = Path("results", config["run"]), config["dataset"]
    links = Links(folder, fresh)
    cost = cost_cases(config, root=root, links=links)
    variants = variants_of(config, root=root, links=links, costed=cost.variants)
    train, val = splits(dataset, links)
    held_out = val if config["train"]["enabled"] else ()
    comparison = comparison_of(config, variants, cost, held_out=bool(held_out))
    own_worlds = dataset["source"] == "partworld"
    where = {"run": config["run"], "seed": config["seed"], "own_worlds": own_worlds}
    return Ground(
        root=root,
        config=config,
        variants=variants,
        homes=deal(variants, comparison.cases(), **where),
        comparison=comparison,
        train=train,
        held_out=held_out,
        salient=salient_sets(dataset, links),
        truth=bool(dataset["ground_truth"]),
        shards=shard_names(config["shards"]),
        digests=Digests(folder, dataset.get("watch", "content"), fresh),
        corrections=corrections_of(dataset, links),
    )


def variants_of(
    config: Values, *, root: Path, links: Links, costed: tuple[str, ...] = ()
) -> Variants:
    """All that the config names: the run's own variant, those of its comparisons, and detectors.

    Parameters
    ----------
    costed : names of what `label_cost` compares.

    Raises
    ------
    ValueError : a variable is not set, or a weight file is missing.
    """
    report, entries = config["report"], config["variants"]
    named = [config["variant"], *report["variants"], *report["detectors"], FULLY_SUPERVISED]
    named += costed
    supervised = [name for name in dict.fromkeys(named) if is_supervised(entries, name)]
    rounds = {name: round_names(config, name) for name in named if name not in supervised}
    names = [BASE, *named, *itertools.chain.from_iterable(rounds.values())]
    configs = {name: variant_config(config, name) for name in names}
    for name in supervised:  # no labels, so that its training is all that can differ
        configs[name] = {**configs[BASE], "train": configs[name]["train"]}
    if config["variant"] in supervised:
        raise ValueError(
            f"variant: {config['variant']} learns from the ground truth and makes no labels; "
            "choose another, and name it in report.detectors"
        )
    return Variants(
        configs={name: with_paths(values, root, links) for name, values in configs.items()},
        compared=tuple(itertools.chain.from_iterable(rounds[name] for name in report["variants"])),
        costed=tuple(itertools.chain.from_iterable(rounds.get(name, ()) for name in costed)),
        supervised=tuple(supervised),
        rounds={name: len(parts) for name, parts in rounds.items()},
    )


def _targets(
    config: Values, export: Values, homes: Homes, comparison: Comparison
) -> tuple[str, ...]:
    """Files and folders that `snakemake` without a target makes."""
    names = [("export", "pseudo_labels.json"), ("evaluate", "metrics.json")]
    if config["train"]["enabled"]:
        names.insert(1, ("train", f"{comparison.engine}/model.pt"))
    names[1:1] = [("export", name) for name in _converted(export)]
    names.append(("report", ""))
    return tuple(homes.at(comparison.plain, *name).rstrip("/") for name in names)


def _converted(export: Values) -> list[str]:
    """The formats that stage `convert` writes; coco_rle is pseudo_labels.json but for its ids."""
    same = () if export["category_ids"] == FROM_ONE else ("coco_rle",)
    return [name for name in dict.fromkeys(export["formats"]) if name not in same]
