"""What `snakemake estimate` is told of a run: its stages, their homes, and the settings they have.

Of the run's own variant, and of its first round alone. Standard library alone.
"""

from typing import Any

from stages.planning.ground import Ground
from stages.planning.homes import with_former
from stages.planning.lineage import as_json
from stages.planning.sources import Split
from stages.planning.stage_inputs import BESIDE

ORDER = (
    *("partworld", "translate", "prepare", "fit_prompt", "prompt", "fit_propose", "propose"),
    *("fit_select", "select", "fit_refine", "refine", "grade", "export", "train"),
    "predict_held_out",
    *("evaluate", "report"),
)
SHARDED = ("prompt", "propose", "select", "refine", "grade")
SECTIONS = ("prepare", "fit_prompt", "prompt", "propose", "select", "refine", "train")


def estimated(ground: Ground) -> str:
    """JSON text of the run, for program `estimate`."""
    config, comparison = ground.config, ground.comparison
    rounds = with_former(ground.variants, comparison.plain)
    first = rounds[-1]
    homes = ground.homes.of_case[first]
    train, *held_out = (
        split.below(homes.get("partworld", "")) for split in (ground.train, *ground.held_out)
    )
    named = ("run", "seed", "device")
    facts: dict[str, Any] = {
        **{name: config[name] for name in named},
        "variant": first.variant,
        "rounds": len(rounds),
        "dataset": config["dataset"],
        "train": _split(train),
        "held_out": [_split(split) for split in held_out],
        "settings": {name: ground.variants.settings(first.variant, name) for name in SECTIONS},
        "stages": [
            {"name": name, "home": homes[BESIDE.get(name, name)], "jobs": _jobs(ground, name)}
            for name in ORDER
            if _is_run(ground, name, homes)
        ],
    }
    return as_json(facts)


def _split(split: Split) -> dict[str, str]:
    return {"images": split.images, "annotations": split.annotations, "read": split.format}


def _jobs(ground: Ground, stage: str) -> int:
    return len(ground.shards) if stage in SHARDED else 1


def _is_run(ground: Ground, stage: str, homes: Any) -> bool:
    """Whether the run without a target has jobs of this stage."""
    is_trained = bool(ground.config["train"]["enabled"])
    if stage == "predict_held_out":
        return is_trained and bool(ground.held_out)
    if stage == "train":
        return is_trained
    if stage == "translate":
        return stage in homes and not (ground.train.is_coco or ground.homes.own_worlds)
    return BESIDE.get(stage, stage) in homes
