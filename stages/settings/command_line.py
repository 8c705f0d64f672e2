"""Numbers in what `snakemake --config` is given below a section, such as `train={iterations: 400}`.

Snakemake reads a number of a key itself, `seed=3`; what is nested it reads as text throughout.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from stages.settings.bounds import bounded

Values = Mapping[str, Any]


def with_numbers(config: Values, said: Values) -> dict[str, Any]:
    """The config, in which a number that was said on the command line is no text any more.

    Parameters
    ----------
    config : of the run, what was said already in it. said : `--config` as Snakemake has read it.

    Raises
    ------
    ValueError : the config is nested too deep, or its aliases stand for too many values.
    """
    bounded(config, "the config")
    own = {key: value for key, value in said.items() if isinstance(value, (Mapping, list, tuple))}
    return {**config, **{key: _retyped(config[key], own[key]) for key in own if key in config}}


def _retyped(value: Any, said: Any) -> Any:
    """A value with the numbers of what was said of it; what was not said of it stays."""
    if isinstance(said, Mapping) and isinstance(value, Mapping):
        both = {key: _retyped(value[key], said[key]) for key in said if key in value}
        return {**value, **both}
    if isinstance(said, (list, tuple)) and value == said:
        return [_retyped(own, own) for own in said]
    return _number(value) if isinstance(value, str) and value == said else value


def _number(text: str) -> Any:
    """As YAML reads a bare word: a number, yes or no, nothing at all, or the text itself."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return value if value is None or isinstance(value, (bool, int, float)) else text
