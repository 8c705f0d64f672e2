# Before any rule: the config is checked and becomes PLAN; the shell of every job is set up.

import re
import sys
from pathlib import Path

from snakemake.settings.types import DeploymentMethod

try:
    from stages.planning.engines import ENGINES, engines_here, training_code
    from stages.planning.locks import forget_dead_runs
    from stages.planning.plan import flag, flags, plan_of, shell_prefix
    from stages.runtime.code import code_of
    from stages.segmenters.official import OFFICIAL
    from stages.settings.judge import judged
except ImportError as error:
    raise WorkflowError(
        f"{error}. The Snakefile needs pydantic, which Snakemake brings from 9.19 on, and the "
        "folder `stages` beside it; install requirements.txt, and clone the repository whole."
    )

ROOT = Path(workflow.basedir)

try:
    config.update(judged(config))
    PLAN = plan_of(config, root=ROOT, official=OFFICIAL)
except ValueError as error:
    raise WorkflowError(f"config: {error}")

ALIVE = forget_dead_runs(Path(".snakemake"))
shell.prefix(shell_prefix(ROOT, Path(sys.executable), gpu=PLAN.gpu))


CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
HERE = engines_here(conda=CONDA)


wildcard_constraints:
    run=PLAN.report.runs(),
    variant=PLAN.report.variant_names(),
    engine="|".join(ENGINES),
    split="train|val",
    shard=r"\d{4}-of-\d{4}",
    weights=PLAN.fetched,
