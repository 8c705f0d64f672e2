"""The parameters of rule functions, as Snakemake asks for them."""

import inspect
from typing import Any

from stages.planning.parameters import rule_functions, without_self
from stages.planning.stage_plan import StagePlan
from tests.small_config import plan


class _Owner:
    def settings(self, wildcards: Any) -> str:
        return f"{wildcards}"

    def memory(self, wildcards: Any, attempt: int) -> int:
        return attempt

    def _private(self, wildcards: Any) -> str:
        return f"{wildcards}"

    def folder(self) -> str:
        return ""

    @property
    def homes(self) -> str:
        return ""


def test_methods_by_wildcards_have_the_parameters_of_their_calls() -> None:
    found = {function.__name__: list(named) for function, named in rule_functions(_Owner)}
    assert found == {"settings": ["wildcards"], "memory": ["wildcards", "attempt"]}


def test_what_rules_are_given_is_told_as_snakemake_would_find_it() -> None:
    stage = plan().fit_select
    found = {function.__name__: named for function, named in rule_functions(StagePlan)}
    assert {"images", "weights", "code", "settings", "gpus", "memory", "minutes"} <= set(found)
    for name, named in found.items():
        assert dict(inspect.signature(getattr(stage, name)).parameters) == named


def test_a_method_is_called_without_itself() -> None:
    assert list(without_self(_Owner.memory)) == ["wildcards", "attempt"]
    assert without_self(_Owner.folder) == {}
