"""The parameters of the functions that rules are given, told once.

Snakemake asks for the signature of each function anew, several times for each job: an eighth of the
time of a dry run with 1,000 shards. A function that was told apart with Snakemake's own
`overwrite_function_params` is not asked. Standard library alone.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Parameters = Mapping[str, inspect.Parameter]


def rule_functions(owner: type) -> Iterator[tuple[Callable[..., Any], Parameters]]:
    """The public methods of a class that take `wildcards`, each with its parameters but `self`."""
    for name in dir(owner):
        function = getattr(owner, name)
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        parameters = without_self(function)
        if next(iter(parameters), None) == "wildcards":
            yield function, parameters


def without_self(method: Callable[..., Any]) -> Parameters:
    """What a method is called with."""
    (_, *others) = inspect.signature(method).parameters.items()
    return dict(others)
