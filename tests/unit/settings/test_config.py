import json
from dataclasses import FrozenInstanceError, fields, is_dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from stages.settings.config import Config, config_schema
from stages.settings.section import from_values, to_values
from stages.settings.template import config_text

ROOT = Path(__file__).resolve().parents[3]
SCHEMA_FILE = ROOT / "workflow" / "schemas" / "config.schema.yaml"


def test_the_schema_file_is_made_from_the_settings() -> None:
    seen = yaml.safe_load(SCHEMA_FILE.read_text())
    assert seen == json.loads(json.dumps(config_schema())), (
        "run: python -m stages.settings.config > workflow/schemas/config.schema.yaml"
    )


def test_config_yaml_is_made_from_the_settings() -> None:
    assert (ROOT / "config.yaml").read_text() == config_text(), (
        "run: python -m stages.settings.template > config.yaml"
    )


def test_config_yaml_holds_every_key_with_its_default() -> None:
    seen = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert to_values(from_values(Config, seen, "config")) == to_values(Config())
    for section, values in to_values(Config()).items():
        assert section == "variants" or seen[section] == values


def test_the_defaults_satisfy_the_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(config_schema())
    jsonschema.validate(to_values(Config()), config_schema())


def _sections(node: Any) -> list[dict[str, Any]]:
    """Every node of the schema that describes a section of keys."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    found = [section for child in children for section in _sections(child)]
    own = isinstance(node, dict) and node.get("type") == "object" and "properties" in node
    return [node, *found] if own else found


def test_every_section_refuses_other_keys_and_describes_each() -> None:
    sections = _sections(config_schema())
    assert len(sections) > 15
    for section in sections:
        assert section["additionalProperties"] is False  # keys of a variant: checked when merged
        for key, rule in section["properties"].items():
            assert rule.get("description"), f"{key} has no description"


def test_every_key_but_what_names_an_entry_has_a_default() -> None:
    needed = {key for section in _sections(config_schema()) for key in section.get("required", ())}
    assert needed == {"images", "annotations", "source", "name"}


def test_every_settings_class_is_frozen() -> None:
    todo: list[Any] = [Config()]
    while todo:
        value = todo.pop()
        names = [field.name for field in fields(value)]
        todo += [getattr(value, name) for name in names if is_dataclass(getattr(value, name))]
        with pytest.raises(FrozenInstanceError):
            setattr(value, names[0], None)


def test_a_whole_config_becomes_settings_and_back() -> None:
    values = to_values(Config())
    assert to_values(from_values(Config, values, "config")) == values
