"""Doors: tables of names, behind each of which stands a method in a module of its own.

A door holds the names of modules as text, so that importing a door imports no method, and an edit
of one method concerns only those who chose it.
"""

import importlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Method:
    """What stands behind a name of a door.

    Attributes
    ----------
    module : that makes it.
    settings : module of its keys in the config, class `Settings`; empty where it has none.
    fit : module of its loss; empty where nothing is learned.
    joint : module of its loss where it is trained with the method of the stage before.
    former : stages whose tables of the round before are read, in a round after the first: by its
        training, where it learns, else by the method itself.
    teacher : whether it, and its training, look through the segmenter that `fit_propose` trains.
    salient : whether its training reads salient images beside the weak labels.
    """

    module: str
    settings: str = ""
    fit: str = ""
    joint: str = ""
    former: tuple[str, ...] = ()
    teacher: bool = False
    salient: bool = False


def opened(module: str) -> Any:
    """The module behind a door; imported here, and nowhere else by a name that is only text."""
    return importlib.import_module(module)
