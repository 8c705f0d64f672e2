"""config.yaml, made from the settings: every key with its default, meaning and range.

`python -m stages.settings.template` prints the file; a test holds the committed one against it.
"""

import json
import sys
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from stages.settings.config import config_schema
from stages.settings.variants import VARIANTS

WIDTH = 100
HEAD = """\
# The default run: the PartWorld demo on the shipped tiny SAM. Every key, with its default.
# Change a copy of the keys you need and give it with --configfile; this file stays the base.
# Made by `python -m stages.settings.template`; ranges are in brackets.

"""


def config_text() -> str:
    """The text of config.yaml."""
    return HEAD + "\n".join(_lines(config_schema(), None, "")) + "\n"


def _lines(
    node: Mapping[str, Any], defaults: Mapping[str, Any] | None, indent: str
) -> Iterator[str]:
    """Lines of a section; `defaults` win over those of its keys, as the section's own default."""
    for key, rule in node["properties"].items():
        value = rule.get("default") if defaults is None else defaults[key]
        comment = _comment(rule)
        if key == "variants" and not indent:
            yield from ["", f"{key}: # {comment}", *_variants(indent + "  ")]
        elif rule.get("type") == "object":
            yield from [] if indent else [""]
            yield f"{indent}{key}: # {comment}"
            yield from _lines(rule, value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{indent}{key}: # {comment}"
            yield from (f"{indent}  - {_scalar(entry)}" for entry in value)
        else:
            yield from _entry(f"{indent}{key}: {_scalar(value)}", comment, indent)


def _variants(indent: str) -> Iterator[str]:
    plain = json.loads(json.dumps(VARIANTS))  # equal values apart, else YAML writes anchors
    text = yaml.safe_dump(plain, default_flow_style=None, sort_keys=False, width=WIDTH - 2)
    yield from (indent + line for line in text.splitlines())


def _entry(line: str, comment: str, indent: str) -> list[str]:
    """The comment behind the line where there is room, else above it."""
    whole = f"{line} # {comment}"
    if len(whole) <= WIDTH:
        return [whole]
    mark = f"{indent}# "
    wrapped = textwrap.wrap(comment, WIDTH, initial_indent=mark, subsequent_indent=mark)
    return [*wrapped, line]


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
    sys.stdout.write(config_text())
