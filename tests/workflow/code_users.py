"""Which rules have which code in their digests, as planning gives it for a small config."""

import re
from types import SimpleNamespace
from typing import Any

from tests.small_config import plan
from tests.workflow.tag_runs import CHAIN as CHAIN_OF_TAGS
from tests.workflow.workspace import CHAIN

RULES = tuple(dict.fromkeys((*CHAIN, *CHAIN_OF_TAGS)))
# whose home is that of the run
ON_THE_RUN = ("partworld", "prepare", "fit_prompt", "prompt", "fit_propose", "propose")
EDIT = "\n\nADDED_BY_A_TEST = 1\n"


def modules_of(**config: Any) -> dict[str, set[str]]:
    """Modules whose code each rule's digest has, for the small config with these changes."""
    stages = plan(report__variants=[], **config).stages()
    homes = {rule: "r" if rule in ON_THE_RUN else "r/v" for rule in RULES}
    rules = [rule for rule in RULES if re.fullmatch(stages[rule].homes, homes[rule])]
    jobs = {rule: SimpleNamespace(home=homes[rule], engine="torchvision") for rule in rules}
    return {
        rule: {entry.split("@")[0] for entry in stages[rule].code(job)}
        for rule, job in jobs.items()
    }


def users_of(name: str, digests: dict[str, set[str]]) -> set[str]:
    """The rules whose digest has the file `name`, below `stages`."""
    module = "stages." + name.removesuffix(".py").replace("/", ".")
    return {rule for rule, modules in digests.items() if module in modules}
