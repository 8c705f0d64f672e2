"""How the settings of a run differ from what its paper prints, which a recipe of ours holds."""

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stages.settings.judge import judged
from stages.settings.overrides import laid_over, variant_config
from stages.settings.readers import chosen, without_places
from stages.settings.recipes import read_recipe

Values = Mapping[str, Any]
FOLDER = "workflow/recipes"
METHODS = (  # section, the key that names its method, the method, the paper's recipe
    ("propose", "segmenter", "boxcaseg", "boxcaseg.yaml"),
    ("refine", "method", "sim", "sim.yaml"),
    ("select", "method", "oicr", "weaksam.yaml"),
    ("select", "method", "mist", "weaksam.yaml"),
    ("select", "method", "psm", "sapnet.yaml"),
)
COMPARED = ("prompt", "propose", "select", "refine", "grade", "export", "train")
NOTHING = object()


def paper_of(config: Values) -> str | None:
    """The recipe of the paper whose methods a config has; None where it has no paper's."""
    found = (name for section, key, method, name in METHODS if config[section][key] == method)
    return next(found, None)


def differing(config: Values, recipe: str, root: Path) -> list[tuple[str, str, str]]:
    """Keys, their values in a config and in a recipe, where these are not the same.

    Parameters
    ----------
    config : the whole config of a variant. recipe : its name. root : the repository.
    """
    theirs = _of_paper(recipe, root)
    rows = []
    for section in COMPARED:
        ours, other = (dict(_keys(values, section)) for values in (config, theirs))
        keys = [key for key in (*ours, *other) if ours.get(key, NOTHING) != other.get(key, NOTHING)]
        rows += [(key, _text(ours, key), _text(other, key)) for key in dict.fromkeys(keys)]
    return rows


@functools.lru_cache(maxsize=8)
def _of_paper(recipe: str, root: Path) -> dict[str, Any]:
    values = read_recipe(f"{FOLDER}/{recipe}", "report", root)
    whole = judged(laid_over(judged({}), values))
    return variant_config(whole, whole["variant"])


def _keys(config: Values, section: str) -> Iterator[tuple[str, Any]]:
    """Dotted keys of a section and their values, of its methods the chosen one's alone."""
    return _flat(without_places(section, chosen(section, config[section])), section)


def _text(values: Values, key: str) -> str:
    return str(values[key]) if key in values else ""


def _flat(values: Values, key: str) -> Iterator[tuple[str, Any]]:
    """Dotted keys and their values, blocks opened."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{key}.{name}")
        else:
            yield f"{key}.{name}", value
