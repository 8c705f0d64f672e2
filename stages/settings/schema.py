"""The JSON Schema of the config: for editors that complete and check YAML. We judge without it."""

from typing import Any

from stages.settings.config import Config


def config_schema() -> dict[str, Any]:
    """JSON Schema of the config: every key with description and default, no other keys allowed."""
    schema = Config.model_json_schema()
    definitions = schema.pop("$defs", {})
    inlined: dict[str, Any] = _inline(schema, definitions)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **inlined}


def _inline(node: Any, definitions: dict[str, Any]) -> Any:
    """Replace references by what they refer to; a key's own description and default win."""
    if isinstance(node, list):
        return [_inline(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[-1]]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return {
        key: _inline(value, definitions)
        for key, value in node.items()
        if isinstance(value, dict | list) or key != "title"
        if key != "discriminator"
    }
