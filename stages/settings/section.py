"""How a section of the config becomes a frozen, checked model, and how it travels to a stage.

Rules hand a section to its program as JSON text (`--settings '{"chunk": 64}'`); keys that are left
out take their defaults; unknown keys, wrong types and values out of range are refused. Values are
always judged as JSON text, by the Snakefile and by a stage alike, so lists become tuples and
nothing is turned silently into another type.

A key may be marked: `FIT` (only the training reads it), `CHOOSE` (only what comes after the
training reads it), `PLACE` (it says where a file lies, not what is in it), `CONVERT` (only stage
`convert` reads it, which writes the section's result down in other formats).
"""

import json
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from stages.settings.bounds import bounded
from stages.settings.sentences import SCHEMA_HINT, faults_of, models_in

T = TypeVar("T", bound="Section")

__all__ = ["CHOOSE", "CONVERT", "FIT", "PLACE", "Annotated", "Field", "Mark", "Section"]


class Mark(Enum):
    """What a key is for, beside its value; see the docstring of this file."""

    FIT = "fit"
    CHOOSE = "choose"
    PLACE = "place"
    CONVERT = "convert"


FIT, CHOOSE, PLACE, CONVERT = Mark.FIT, Mark.CHOOSE, Mark.PLACE, Mark.CONVERT


class Section(BaseModel):
    """Keys of a config that belong together; a rule across keys is a validator of its section.

    A validator raises ValueError with a sentence in which `{at}` stands for the section's path.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False
    )

    @classmethod
    def also_for_fit(cls, values: Mapping[str, Any], *, joint: bool) -> Iterable[str]:
        """Keys marked CHOOSE that a training reads all the same, at these plain values.

        Parameters
        ----------
        joint : the method is trained together with that of the next stage.
        """
        return ()


def parsed(cls: type[T], text: str, section: str) -> T:
    """JSON text to settings of class `cls`.

    Raises
    ------
    ValueError : one sentence that names each wrong key, what it holds, and what is allowed.
    """
    try:
        return cls.model_validate_json(text)
    except ValidationError as error:
        faults = faults_of(error, cls, section)
    said = "; ".join(fault.sentence for fault in faults)
    hint = SCHEMA_HINT if any(not fault.is_rule for fault in faults) else ""
    raise ValueError(f"{said}.{hint}")


def json_text(values: Any) -> str:
    """Values to JSON; what YAML reads as a date becomes text again."""
    return json.dumps(values, default=str)


def from_values(cls: type[T], values: Any, section: str) -> T:
    """Plain values to settings of class `cls`; raises ValueError as `parsed`, behind `config: `."""
    try:
        return parsed(cls, json_text(values), section)
    except ValueError as error:
        raise ValueError(f"config: {error}") from None


def from_json(cls: type[T], text: str, section: str) -> T:
    """JSON text to settings of class `cls`; raises ValueError as `from_values` does."""
    try:
        values = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"--settings: not JSON ({error}).") from None
    bounded(values, section)
    return from_values(cls, values, section)


def to_values(settings: BaseModel) -> dict[str, Any]:
    """Settings to plain values, for JSON."""
    return settings.model_dump(mode="json")


def provenance_values(settings: BaseModel) -> dict[str, Any]:
    """Settings to plain values for a header: what the file does not depend on is left out.

    That is a path, of which its checksum tells more, and what stage `convert` alone reads.
    """
    return unmarked(type(settings), to_values(settings), PLACE, CONVERT)


def unmarked(cls: type[BaseModel], values: Mapping[str, Any], *marks: Mark) -> dict[str, Any]:
    """Plain values of a section without the keys that have one of these marks, however deep."""
    kept = {}
    for key, value in values.items():
        info = cls.model_fields.get(key)
        if info is None or not any(has_mark(info, mark) for mark in marks):
            inner = models_in(info.annotation) if info and isinstance(value, Mapping) else []
            kept[key] = unmarked(inner[0], value, *marks) if inner else value
    return kept


def has_mark(info: FieldInfo, mark: Mark) -> bool:
    """Whether a key has this mark."""
    return mark in info.metadata
