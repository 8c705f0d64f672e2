"""Results of another hand: files that this config would call its own, but that others made.

Results that were copied without Snakemake's records look finished to it. So their headers are held
against the plan, those of the files alone that Snakemake knows nothing about. Standard library.
"""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from stages.planning.plan import Plan
from stages.planning.resources import FITTED
from stages.planning.stage_plan import StagePlan
from stages.planning.strangers import foreign, unrecorded
from stages.settings.readers import without_places

TOLD_APART = {  # stage: a file whose header says what it was made with
    "prepare": "images.parquet",
    "fit_prompt": "model.pt",
    "prompt": "shard-{shard}.parquet",
    "fit_propose": "model.pt",
    "propose": "shard-{shard}.parquet",
    "fit_select": "model.pt",
    "select": "shard-{shard}.parquet",
    "fit_refine": "model.pt",
    "refine": "shard-{shard}.parquet",
    "grade": "shard-{shard}.parquet",
    "export": "pseudo_labels.json",
    "train": "{engine}/training.json",
    "evaluate": "metrics.json",
}
Planned = tuple[Path, StagePlan, SimpleNamespace]


def refuse_strangers(plan: Plan, records: Path) -> None:
    """Look at the headers of what is there already and has no record.

    Parameters
    ----------
    records : Snakemake's folder, .snakemake.

    Raises
    ------
    ValueError : a file was made with another seed or other settings, or by edition 1; names it.
    """
    found = outputs(plan, there=True)
    planned = {path: (stage, job) for path, stage, job in found if path.is_file()}
    for path in unrecorded(planned, records):
        stage, job = planned[path]
        values = without_places(FITTED.get(stage.stage, stage.stage), stage.values(job))
        sentence = foreign(path, settings=values, seed=stage.seed(job))
        if sentence:
            raise ValueError(sentence)


def outputs(plan: Plan, *, there: bool = False) -> Iterator[Planned]:
    """A file of each job that is planned, with its stage and its wildcards.

    Parameters
    ----------
    there : of stages alone that have a folder; comparisons plan many, of which a run makes few.
    """
    stages = plan.stages()
    for (name, home), case in plan.homes.reader.items():
        stage = stages.get(name)
        if stage is None or name not in TOLD_APART:
            continue
        if there and not Path("results", home, name).is_dir():
            continue
        if name == "fit_select" and stage.ground.variants.is_joint(case.variant):
            continue  # its header has the settings of both methods; select and refine have theirs
        for shard in plan.shards if "{shard}" in TOLD_APART[name] else ("",):
            job = SimpleNamespace(home=home, shard=shard, engine=plan.comparison.engine)
            file = TOLD_APART[name].format(shard=shard, engine=job.engine)
            yield Path("results", home, name, file), stage, job
