"""What a door gives to the config: the names that may be chosen, and a block of keys per method.

Each method's keys stand below its own name (`select: {method: psm, psm: {...}}`), since Snakemake
merges config files deeply: a recipe that changes `method` keeps the other method's keys, unread.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, Union

from pydantic import Field, GetCoreSchemaHandler, create_model

from stages.runtime.doors import Method, opened
from stages.settings.section import Annotated, Section

S = TypeVar("S", bound=Section)


@dataclass(frozen=True, slots=True, init=False)
class OneOf:
    """Marks text that must be one of the names of a door."""

    names: tuple[str, ...]

    def __init__(self, names: Iterable[str]):
        object.__setattr__(self, "names", tuple(names))

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        return handler.generate_schema(Literal[self.names])


def with_blocks(base: type[S], name: str, door: Mapping[str, Method]) -> type[S]:
    """The section `base` with a block of keys for each method of a door that has keys."""
    classes = {
        key: opened(method.settings).Settings for key, method in door.items() if method.settings
    }
    fields: dict[str, Any] = {
        key: (Annotated[kind, Field(description=said(kind))], kind())
        for key, kind in classes.items()
    }
    return create_model(
        name, __base__=base, __doc__=base.__doc__, __module__=base.__module__, **fields
    )


def items_of(door: Mapping[str, Method], key: str, base: type[S]) -> dict[str, type[S]]:
    """A class per method for the entries of a list, each with its name at `key`."""
    kinds = {
        name: opened(method.settings).Settings if method.settings else base
        for name, method in door.items()
    }
    return {name: _item(name, key, kind) for name, kind in kinds.items()}


def _item(name: str, key: str, kind: type[S]) -> type[S]:
    named: dict[str, Any] = {key: (Literal[name], Field(description=said(kind)))}
    title = name.title().replace("_", "")
    return create_model(title, __base__=kind, __doc__=kind.__doc__, **named)


def union_of(classes: Mapping[str, type[S]], key: str) -> Any:
    """The type of a list entry that may be any of these, told apart by `key`."""
    kinds = tuple(classes.values())
    return kinds[0] if len(kinds) == 1 else Annotated[Union[kinds], Field(discriminator=key)]  # noqa: UP007


def said(kind: type) -> str:
    """The first line of a class's docstring, as a description."""
    return (kind.__doc__ or "").splitlines()[0].rstrip(".")
