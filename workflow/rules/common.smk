# Before any rule: the config is checked and becomes PLAN; what sets up the shell of every job.

import gc
import inspect
import re
import sys
from pathlib import Path

from snakemake.common import overwrite_function_params
from snakemake.common.configfile import load_configfile
from snakemake.resources import Resource
from snakemake.settings.types import DeploymentMethod

try:
    from stages.engines.engine import ENGINES, ENVIRONMENTS
    from stages.formats.writer import WRITERS
    from stages.planning.command import at_once_of, each_of, flag, flags, setup_of
    from stages.planning.engines import engines_here
    from stages.planning.lineage import as_json
    from stages.planning.foreign import refuse_strangers
    from stages.planning.locks import forget_dead_runs, locks_of, remember_run
    from stages.planning.parameters import rule_functions, without_self
    from stages.planning.place import refuse_clone, refuse_prefix
    from stages.planning.plan import plan_of
    from stages.planning.needs import light_memory, light_minutes
    from stages.planning.run_lines import attached
    from stages.planning.stage_plan import StagePlan
    from stages.runtime.code import code_of
    from stages.runtime.program import say
    from stages.runtime.stopping import stop_with_a_sentence
    from stages.settings.command_line import with_numbers
    from stages.settings.judge import judged
    from stages.settings.overrides import laid_over
    from stages.settings.recipes import with_recipes
except ImportError as error:
    raise WorkflowError(
        f"{error}. The Snakefile needs pydantic, which Snakemake brings from 9.19 on, and the "
        "folder `stages` beside it; install requirements.txt, and clone the repository whole."
    )

ROOT = Path(workflow.current_basedir).parents[1]  # absolute, however the Snakefile was named
IS_MAIN = workflow.is_main_process
IS_RUN = IS_MAIN and not workflow.output_settings.dryrun  # not a dry run, and not a job of a run
IS_OURS = workflow.modifier.is_main_snakefile()  # not a module: the terminal is that workflow's

if IS_OURS:
    stop_with_a_sentence()
    # The DAG is large and stays to the end; to search it for garbage anew for every 700 objects is
    # an eighth of a dry run's time
    gc.set_threshold(100_000, 20, 50)

try:
    refuse_clone(ROOT)
    refuse_prefix(workflow.modifier.path_modifier.replace_prefix("results/"))
except ValueError as error:
    raise WorkflowError(str(error))

try:
    config = with_numbers(config, workflow.config_settings.config)
    # the config of a `module:` comes without config.yaml, and belongs to the outer workflow
    config = laid_over(load_configfile(ROOT / "config.yaml"), config)
    config = judged(with_recipes(config, ROOT))
    PLAN = plan_of(config, root=ROOT, fresh=IS_MAIN)
except ValueError as error:
    raise WorkflowError(f"config: {error}")

# Snakemake asks each function of a rule for its signature, for each job: told once, it need not
for function, parameters in rule_functions(StagePlan):
    overwrite_function_params(function, parameters)
overwrite_function_params(Resource.evaluate, without_self(Resource.evaluate))

try:
    if IS_MAIN:
        refuse_strangers(PLAN, Path(".snakemake"))
except ValueError as error:
    raise WorkflowError(str(error))

if IS_RUN:
    PLAN.note_homes()
    for sentence in forget_dead_runs(Path(".snakemake")):
        say("locks", sentence)

LINES = attached(workflow.output_settings, wanted=IS_RUN and IS_OURS)


onstart:
    remember_run(Path(".snakemake"), locks_of(workflow.persistence))


onsuccess:
    for sentence in PLAN.ending():
        say("maskmill", sentence)


onerror:
    LINES.close_run(log)


# No shell.prefix: as a `module:` we share the shell with rules of others
SETUP = setup_of(
    ROOT, Path(sys.executable), gpu=config["device"] != "cpu", threads=config["threads"]
)
EACH = each_of(config["threads"])
AT_ONCE = at_once_of(config["images_at_once"], config["threads"])
for function in (SETUP, EACH, AT_ONCE):
    overwrite_function_params(function, inspect.signature(function).parameters)

CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
HERE = engines_here(conda=CONDA)

# The user's own files: their dates say nothing, since params hold digests of what is in them
watched = ancient if PLAN.watched else lambda files: files
# ... where they score as they are, and are not translated first
own = lambda split: watched if split not in PLAN.translated else lambda files: files


wildcard_constraints:
    engine="|".join(ENGINES),
    format="|".join(WRITERS),
    split="train|val",
    half="1|2",
    shard=r"\d{4}-of-\d{4}",
    weights=PLAN.fetched,
