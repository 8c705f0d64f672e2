import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from stages.settings.config import Config
from stages.settings.judge import judged
from stages.settings.schema import config_schema
from stages.settings.section import to_values
from stages.settings.template import SCHEMA, config_text, lines_of, schema_text

ROOT = Path(__file__).resolve().parents[3]


def test_config_yaml_is_what_make_config_writes() -> None:
    assert (ROOT / "config.yaml").read_text() == config_text(), "stale; run: make config"


def test_the_schema_file_is_what_make_config_writes() -> None:
    assert (ROOT / SCHEMA).read_text() == schema_text(), "stale; run: make config"


def test_config_yaml_holds_every_key_with_its_default() -> None:
    seen = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert judged(seen) == to_values(Config())
    for section, values in to_values(Config()).items():
        assert section == "variants" or seen[section] == values


def _sections(node: Any) -> Iterator[dict[str, Any]]:
    """Every node of the schema that describes a section of keys."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    if isinstance(node, dict) and node.get("type") == "object" and "properties" in node:
        yield node
    for child in children:
        yield from _sections(child)


def test_every_section_refuses_other_keys_and_describes_each() -> None:
    sections = list(_sections(config_schema()))
    assert len(sections) > 20
    for section in sections:
        assert section["additionalProperties"] is False  # keys of a variant: checked when merged
        for key, rule in section["properties"].items():
            assert rule.get("description"), f"{key} has no description"


def test_every_key_but_what_names_an_entry_has_a_default() -> None:
    needed = {key for section in _sections(config_schema()) for key in section.get("required", ())}
    assert needed == {"images", "annotations", "masks", "source", "name"}


def test_the_schema_is_whole_and_refers_to_nothing() -> None:
    text = json.dumps(config_schema())
    assert "$ref" not in text
    assert "$defs" not in text


def test_the_keys_of_an_entry_stand_below_its_name() -> None:
    side = {"description": "px", "type": "number"}
    name = {"description": "a square about each point", "const": "squares"}
    sources = {"default": [{"source": "squares"}], "description": "who asks", "items": {}}
    sources["items"] = {"oneOf": [{"properties": {"side": side, "source": name}}]}
    assert list(lines_of({"properties": {"sources": sources}}, None, "")) == [
        "sources: # who asks",
        "  # source: squares: a square about each point",
        "  #   side: px",
        "  - {source: squares}",
    ]
