"""config.yaml, made from the settings: every key with its default, meaning and range.

`make config` writes it, and its JSON Schema; a test holds the committed files against both.
"""

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from stages.settings.schema import config_schema
from stages.settings.variants import SHIPPED

WIDTH = 100
ROOT = Path(__file__).resolve().parents[2]
SCHEMA = "workflow/schemas/config.schema.yaml"
HEAD = """\
# The default run: the PartWorld demo on the shipped tiny SAM. Every key, with its default.
# Change a copy of the keys you need and give it with --configfile; this file stays the base.
# Made by `make config`; ranges are in brackets.

"""


def config_text() -> str:
    """The text of config.yaml."""
    return HEAD + "\n".join(lines_of(config_schema(), None, "")) + "\n"


def schema_text() -> str:
    """The text of the schema file."""
    plain = json.loads(json.dumps(config_schema()))  # equal values apart, else YAML writes anchors
    text: str = yaml.safe_dump(plain, sort_keys=False, width=WIDTH, allow_unicode=True)
    return text


def lines_of(
    node: Mapping[str, Any], defaults: Mapping[str, Any] | None, indent: str
) -> Iterator[str]:
    """Lines of a section of the schema.

    `defaults`, the section's own default, win over those of its keys.
    """
    for key, rule in node["properties"].items():
        value = rule.get("default") if defaults is None else defaults[key]
        comment = _comment(rule)
        if key == "variants" and not indent:
            yield from ["", f"{key}: # {comment}", *_variants(indent + "  ")]
        elif rule.get("type") == "object" and "properties" in rule:
            yield from [] if indent else [""]
            yield f"{indent}{key}: # {comment}"
            yield from lines_of(rule, value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield from _entry(f"{indent}{key}:", comment, indent)
            yield from _alternatives(rule["items"], indent + "  ")
            yield from (f"{indent}  - {_scalar(_name_first(entry))}" for entry in value)
        else:
            yield from _entry(f"{indent}{key}: {_scalar(value)}", comment, indent)
            yield from _alternatives(rule.get("items", {}), indent)


def _alternatives(items: Mapping[str, Any], indent: str) -> Iterator[str]:
    """A comment for each kind of entry that a list may hold, and for each of its keys."""
    for kind in items.get("oneOf", ()):
        rules = kind["properties"].items()
        for key, rule in sorted(rules, key=lambda item: "const" not in item[1]):  # the name first
            what = f"{key}: {rule['const']}" if "const" in rule else f"  {key}"
            yield from _wrapped(f"{what}: {_comment(rule)}", f"{indent}# ")


def _name_first(entry: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sorted(entry.items(), key=lambda item: item[0] not in ("source", "name")))


def _variants(indent: str) -> Iterator[str]:
    plain = json.loads(json.dumps(SHIPPED))  # equal values apart, else YAML writes anchors
    text = yaml.safe_dump(plain, default_flow_style=None, sort_keys=False, width=WIDTH - 2)
    yield from (indent + line for line in text.splitlines())


def _entry(line: str, comment: str, indent: str) -> list[str]:
    """The comment behind the line where there is room, else above it."""
    whole = f"{line} # {comment}"
    if len(whole) <= WIDTH:
        return [whole]
    return [*_wrapped(comment, f"{indent}# "), line]


def _wrapped(text: str, mark: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=mark, subsequent_indent=mark)


def _comment(rule: Mapping[str, Any]) -> str:
    signs = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    parts = [" | ".join(map(str, rule["enum"]))] if "enum" in rule else []
    parts += [f"{sign} {rule[key]:g}" for key, sign in signs.items() if key in rule]
    parts += [f"multiple of {rule['multipleOf']}"] if "multipleOf" in rule else []
    return f"{rule.get('description', '')} ({', '.join(parts)})" if parts else rule["description"]


def _scalar(value: Any) -> str:
    """One value in YAML; small numbers without exponent, which YAML would read as text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        text = repr(value)
        return f"{value:.12f}".rstrip("0") if "e" in text else text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_scalar(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_scalar(item) for item in value) + "]"
    return str(value)


if __name__ == "__main__":
    (ROOT / "config.yaml").write_text(config_text(), encoding="utf-8")
    (ROOT / SCHEMA).write_text(schema_text(), encoding="utf-8")
