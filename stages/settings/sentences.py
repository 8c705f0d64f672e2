"""What pydantic refuses, in sentences for people: the key, what it must be, what was seen."""

import difflib
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from stages.settings.old_keys import now_called

SCHEMA_HINT = " See workflow/schemas/config.schema.yaml."
WHOLE, NUMBER = "a whole number", "a number"
WANTED = {
    **dict.fromkeys(("int_type", "int_from_float", "int_parsing"), WHOLE),
    **dict.fromkeys(("float_type", "float_parsing"), NUMBER),
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text",
    **dict.fromkeys(("model_type", "dict_type", "model_attributes_type"), "a section of keys"),
    **dict.fromkeys(("tuple_type", "list_type"), "a list"),
}
LIMITS = {  # kind of error: what is said, and where pydantic keeps the limit
    "greater_than_equal": ("must be at least", "ge"),
    "less_than_equal": ("must be at most", "le"),
    "greater_than": ("must be more than", "gt"),
    "less_than": ("must be less than", "lt"),
    "multiple_of": ("must be a multiple of", "multiple_of"),
    "string_pattern_mismatch": ("must match", "pattern"),
    "too_short": ("needs as many entries as", "min_length"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, without full stop; is_rule: each key is fine, but they do not fit together."""

    sentence: str
    is_rule: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where an error is: the key's path, the sections that may be there, and the key itself."""

    path: tuple[str, ...]
    models: Sequence[type[BaseModel]]
    info: FieldInfo | None

    @property
    def key(self) -> str:
        """The dotted path."""
        return ".".join(self.path) or "the config"


def faults_of(error: ValidationError, model: type[BaseModel], section: str) -> list[Fault]:
    """All that pydantic refused in `model`, whose keys stand below `section`, or at the top: ""."""
    return [_fault(item, model, (section,) if section else ()) for item in error.errors()]


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation names, at any depth: in unions, lists and mappings."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for part in get_args(annotation) for model in models_in(part)]


def _fault(item: Any, model: type[BaseModel], above: tuple[str, ...]) -> Fault:
    kind, seen = item["type"], item["input"]
    place = _place(model, item["loc"], above)
    if kind == "value_error":
        return Fault(str(item["ctx"]["error"]).replace("{at}", place.key), is_rule=True)
    if kind == "extra_forbidden":
        return Fault(_unknown(place, _place(model, item["loc"][:-1], above)))
    if kind == "missing":
        return Fault(f"{'.'.join(place.path[:-1]) or 'the config'} lacks {place.path[-1]}")
    context = item.get("ctx", {})
    if kind == "union_tag_not_found":
        return Fault(f"{place.key} lacks {_unquoted(context['discriminator'])}")
    if kind == "union_tag_invalid":
        key = f"{place.key}.{_unquoted(context['discriminator'])}"
        return Fault(_not_among(key, context["expected_tags"], context["tag"]))
    if kind == "literal_error":
        return Fault(_not_among(place.key, context["expected"], seen))
    if kind in LIMITS:
        said, limit = LIMITS[kind]
        return Fault(f"{place.key}: {said} {_number(context[limit])}, seen {seen!r}")
    if kind in WANTED:
        null = " or null" if place.info and type(None) in get_args(place.info.annotation) else ""
        return Fault(f"{place.key}: must be {WANTED[kind]}{null}, seen {seen!r}{_hint(item)}")
    return Fault(f"{place.key}: {item['msg'][:1].lower() + item['msg'][1:]}, seen {seen!r}")


def _place(model: type[BaseModel], loc: Sequence[str | int], above: tuple[str, ...]) -> Place:
    """Follow pydantic's path; the name of a union's branch is not part of what the user wrote."""
    path, models, info = list(above), [model], None
    for number, part in enumerate(loc):
        branch = [found for found in models if part in _tags(found)]
        if branch and number and isinstance(loc[number - 1], int):
            models = branch
            continue
        path.append(str(part))
        infos = [found.model_fields[part] for found in models if part in found.model_fields]
        info = infos[0] if infos else None
        if infos:
            models = [inner for info_ in infos for inner in models_in(info_.annotation)]
    return Place(tuple(path), models, info)


def _tags(model: type[BaseModel]) -> Iterator[Any]:
    """The names by which a union knows this branch."""
    for info in model.model_fields.values():
        if get_origin(info.annotation) is Literal and len(get_args(info.annotation)) == 1:
            yield from get_args(info.annotation)


def _unknown(place: Place, parent: Place) -> str:
    if now := now_called(place.key):
        return f"{place.key} is now {now}"
    known = [key for model in parent.models for key in model.model_fields]
    near = difflib.get_close_matches(place.path[-1], known, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"unknown key {place.key}{hint}"


def _not_among(key: str, expected: str, seen: Any) -> str:
    if now := now_called(key, seen):
        return f"{key}: {seen} is now {now}"
    return f"{key}: must be one of {_unquoted(expected).replace(' or ', ', ')}, seen {seen!r}"


def _unquoted(text: str) -> str:
    return text.replace("'", "")


def _number(value: Any) -> Any:
    """A limit as people write it: 0, not 0.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _hint(item: Any) -> str:
    """YAML reads 1e-3 as text, since the mantissa has no point."""
    if not isinstance(item["input"], str) or WANTED[item["type"]] not in (WHOLE, NUMBER):
        return ""
    try:
        return f" (write {_number(float(item['input']))!r})"
    except (ValueError, OverflowError):
        return ""
