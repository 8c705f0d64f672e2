"""How a config section becomes a frozen, checked dataclass, and how it travels to a stage.

Rules hand a section to its program as JSON text (`--settings '{"chunk": 64}'`); keys that are left
out take their defaults; unknown keys, wrong types and values out of range are refused.
"""

import dataclasses
import json
from typing import Annotated, Any, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

T = TypeVar("T")
CLOSED = ConfigDict(extra="forbid", arbitrary_types_allowed=False)

__all__ = ["CLOSED", "Annotated", "Field", "dataclass", "from_json", "from_values", "to_values"]


def from_values(cls: type[T], values: Any, section: str) -> T:
    """Plain values to settings of class `cls`.

    Raises
    ------
    ValueError : one sentence that names each wrong key, what it holds, and what is allowed.
    """
    try:
        return TypeAdapter(cls).validate_python(values)
    except ValidationError as error:
        faults = "; ".join(_fault(item, section) for item in error.errors())
        raise ValueError(f"config: {faults}. See workflow/schemas/config.schema.yaml.") from None


def from_json(cls: type[T], text: str, section: str) -> T:
    """JSON text to settings of class `cls`; raises ValueError as `from_values` does."""
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"--settings: not JSON ({error}).") from None
    return from_values(cls, values, section)


def to_values(settings: Any) -> dict[str, Any]:
    """Settings to plain values, for provenance and for JSON."""
    values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(settings)))
    return values


def _fault(item: Any, section: str) -> str:
    key = ".".join([section, *(str(part) for part in item["loc"])])
    if item["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"unknown key {key}"
    return f"{key}: {item['msg'][:1].lower() + item['msg'][1:]}, seen {item['input']!r}"
