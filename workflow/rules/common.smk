# Before any rule: the config is checked and becomes PLAN; the shell of every job is set up.

import re
import sys
from pathlib import Path

from snakemake.settings.types import DeploymentMethod

from stages.engines.engine import ENGINES, ENVIRONMENTS
from stages.planning.engines import engines_here, training_code
from stages.planning.locks import forget_dead_runs, locks_of, remember_run
from stages.planning.plan import flag, flags, plan_of, shell_prefix
from stages.runtime.code import code_of
from stages.runtime.program import say
from stages.segmenters.official import OFFICIAL
from stages.settings.check import check
from stages.settings.refuse import refuse

ROOT = Path(workflow.basedir)
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"

try:
    refuse(config, SCHEMA)
    validate(config, str(SCHEMA))  # fills in the defaults
    check(config)
    PLAN = plan_of(config, root=ROOT, official=OFFICIAL)
except ValueError as error:
    raise WorkflowError(f"config: {error}")

# a dry run and the jobs of a run leave all locks alone
IS_RUN = workflow.is_main_process and not workflow.output_settings.dryrun
for sentence in forget_dead_runs(Path(".snakemake")) if IS_RUN else []:
    say("locks", sentence)


onstart:
    remember_run(Path(".snakemake"), locks_of(workflow.persistence))


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
