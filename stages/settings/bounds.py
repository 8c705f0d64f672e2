"""How deep and how large a config may be, asked before anything walks through it.

YAML's aliases let a few lines stand for billions of values, or for a value that holds itself, and
what copies or writes such a config never comes to an end.
"""

from collections.abc import Mapping
from typing import Any

DEEPEST = 40  # sections within sections; the deepest of ours has 8
MOST = 100_000  # keys and entries in all; config.yaml has some hundreds


def bounded(values: Any, what: str) -> Any:
    """The values as they are, once they are found to be of a size that a person has written.

    Parameters
    ----------
    what : they are, for the sentence, such as the path of a recipe.

    Raises
    ------
    ValueError : they are nested too deep, as where an alias leads to itself, or too many.
    """
    waiting, count = [(values, 0)], 0
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if depth > DEEPEST:
            raise ValueError(
                f"{what}: keys are nested more than {DEEPEST} deep, or an alias leads to itself. "
                "Write them out flat."
            )
        if count > MOST:
            raise ValueError(
                f"{what}: more than {MOST} values, aliases written out. Remove the aliases."
            )
        inner = value.values() if isinstance(value, Mapping) else value
        if isinstance(inner, list | tuple | set | frozenset) or isinstance(value, Mapping):
            waiting += [(each, depth + 1) for each in inner]
    return values
