"""The one judge of a config: the Snakefile asks it, and a stage's parser judges its part alike."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from stages.settings.config import Config
from stages.settings.overrides import OVERRIDDEN, variant_config
from stages.settings.readers import SECTIONS
from stages.settings.rules import run_faults
from stages.settings.section import json_text, parsed, to_values
from stages.settings.sentences import SCHEMA_HINT, Fault, faults_of

Values = Mapping[str, Any]


def judged(config: Values) -> dict[str, Any]:
    """The complete config as plain values, with the defaults of all keys that were left out.

    Raises
    ------
    ValueError : names each wrong key, what it holds, and what is allowed.
    """
    values = to_values(parsed(Config, json_text(config), ""))
    own = [fault for name in values["variants"] for fault in _own_faults(values, name)]
    if own:
        raise ValueError(f"{'; '.join(own)}.{SCHEMA_HINT}")
    for sentence in (*run_faults(values), *_merged_faults(values)):
        raise ValueError(f"{sentence}.")
    return values


def _own_faults(config: Values, name: str) -> Iterator[str]:
    """What a variant says itself; rules across keys wait until its values lie over the config."""
    for section in OVERRIDDEN:
        for fault in _faults(section, config["variants"][name][section]):
            if not fault.is_rule:
                yield f"variants.{name}: {fault.sentence}"


def _merged_faults(config: Values) -> Iterator[str]:
    for name in config["variants"]:
        merged = variant_config(config, name)
        for section in OVERRIDDEN:
            if merged[section] != config[section]:
                for fault in _faults(section, merged[section]):
                    yield f"variants.{name}: {fault.sentence}"


def _faults(section: str, values: Values) -> list[Fault]:
    try:
        SECTIONS[section].model_validate_json(json_text(values))
    except ValidationError as error:
        return faults_of(error, SECTIONS[section], section)
    return []
