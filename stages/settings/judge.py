"""The one judge of a config: the Snakefile asks it, and a stage's parser judges its part alike."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from stages.settings.config import Config
from stages.settings.overrides import OVERRIDDEN, variant_config
from stages.settings.readers import SECTIONS
from stages.settings.rounds import round_names
from stages.settings.rules import is_apart, run_faults
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
    entries = {f"variants.{name}": entry for name, entry in values["variants"].items()}
    own = [fault for name, entry in entries.items() for fault in _own_faults(name, entry)]
    own += _own_faults("config", {"again": values["again"]})
    if own:
        raise ValueError(f"{'; '.join(own)}.{SCHEMA_HINT}")
    strict = [name for name in values["variants"] if not is_apart(values, name)]
    names = dict.fromkeys([*strict, values["variant"]])
    merged = (f"variants.{fault}" for fault in merged_faults(values, names))
    for sentence in (*run_faults(values), *merged):
        raise ValueError(f"{sentence}.")
    return values


def _own_faults(name: str, entry: Values) -> Iterator[str]:
    """What a variant says itself; rules across keys wait until its values lie over the config."""
    again = {f"again.{section}": values for section, values in entry["again"].items()}
    for key, values in {**entry, **again}.items():
        section = key.rpartition(".")[2]
        if section in OVERRIDDEN:
            for fault in _faults(section, values):
                if not fault.is_rule:
                    where = key.removesuffix(section)
                    yield f"{name}: {where}{fault.sentence}"


def merged_faults(config: Values, names: Iterable[str]) -> Iterator[str]:
    """What is wrong with the values of these variants over those of the config, in any round."""
    for part in (part for name in names for part in round_names(config, name)):
        merged = variant_config(config, part)
        for section in OVERRIDDEN:
            if merged[section] != config[section]:
                for fault in _faults(section, merged[section]):
                    yield f"{part}: {fault.sentence}"


def _faults(section: str, values: Values) -> list[Fault]:
    try:
        SECTIONS[section].model_validate_json(json_text(values))
    except ValidationError as error:
        return faults_of(error, SECTIONS[section], section)
    return []
