"""What the schema refuses in a config, in one sentence for people; called by the Snakefile first.

Only the standard library, yaml and jsonschema are imported, as in `stages.settings.check`.
"""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from stages.settings.overrides import OVERRIDDEN

Values = Mapping[str, Any]
SCHEMA = "workflow/schemas/config.schema.yaml"
TYPE_NAMES = {
    "object": "a section of keys",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
LIMITS = {
    "minimum": "must be at least",
    "maximum": "must be at most",
    "exclusiveMinimum": "must be more than",
    "exclusiveMaximum": "must be less than",
    "multipleOf": "must be a multiple of",
    "pattern": "must match",
    "minItems": "needs as many entries as",
}


def refuse(config: Values, schema: Path) -> None:
    """Hold `config` against the JSON Schema in the file `schema`.

    Raises
    ------
    ValueError : names each wrong key, what it holds, and what is allowed.
    """
    rules = yaml.safe_load(schema.read_text(encoding="utf-8"))
    faults = _schema_faults(config, rules) or list(_variant_schema_faults(config, rules))
    if faults:
        raise ValueError(f"{'; '.join(faults)}. See {SCHEMA}.")


def _schema_faults(config: Values, rules: Values) -> list[str]:
    errors = jsonschema.Draft202012Validator(rules).iter_errors(config)
    return [fault for error in errors for fault in _faults(error)]


def _variant_schema_faults(config: Values, rules: Values) -> Iterator[str]:
    """What a variant says itself; values that it takes from others are checked there."""
    for name, entry in config.get("variants", {}).items():
        own = {section: entry.get(section, {}) for section in OVERRIDDEN}
        yield from (f"variants.{name}: {fault}" for fault in _schema_faults(own, rules))


def _faults(error: jsonschema.ValidationError) -> Iterator[str]:
    """Sentences without full stop about one schema error; alternatives: about the nearest one."""
    if error.validator == "anyOf":
        wanted = [branch for branch in error.context or [] if branch.validator != "type"]
        if wanted:
            yield from (fault for branch in wanted for fault in _faults(branch))
            return
    key = ".".join(str(part) for part in error.absolute_path) or "the config"
    seen = repr(_plain(error.instance))
    if error.validator == "additionalProperties":
        yield from _unknown_keys(error, "" if key == "the config" else f"{key}.")
    elif error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        yield f"{key} lacks {' and '.join(missing)}"
    elif error.validator == "enum":
        yield f"{key}: must be one of {', '.join(map(str, error.validator_value))}, seen {seen}"
    elif error.validator in ("type", "anyOf"):
        yield f"{key}: must be {_types(error)}, seen {seen}{_number_hint(error.instance)}"
    elif error.validator in LIMITS:
        yield f"{key}: {LIMITS[error.validator]} {error.validator_value}, seen {seen}"
    else:
        yield f"{key}: {error.message}"


def _unknown_keys(error: jsonschema.ValidationError, prefix: str) -> Iterator[str]:
    known = list(error.schema["properties"])
    for name in error.instance:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            yield f"unknown key {prefix}{name}{hint}"


def _types(error: jsonschema.ValidationError) -> str:
    branches = error.schema.get("anyOf", [error.schema])
    return " or ".join(TYPE_NAMES.get(branch.get("type"), "valid") for branch in branches)


def _number_hint(value: Any) -> str:
    """YAML reads 1e-3 as text, since the mantissa has no point."""
    try:
        return f" (write {float(value)!r})" if isinstance(value, str) else ""
    except ValueError:
        return ""


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
