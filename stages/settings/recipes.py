"""Variants that start from a recipe: what its file says is laid under the variant's own values.

A recipe is a whole config file, such as those in `workflow/recipes`. Of it count the sections that
a variant may change, `rounds` and `again`; its data set, its report and its other variants do not,
nor does any key of the run. Where it names a `variant` that is among its `variants`, that entry
counts too. A recipe without `rounds` has one, whatever the config has.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from stages.settings.bounds import bounded
from stages.settings.overrides import OVERRIDDEN, chain_of, laid_over

Values = Mapping[str, Any]
TAKEN = (*OVERRIDDEN, "rounds", "again")  # keys of a recipe that count


def with_recipes(config: Values, root: Path) -> dict[str, Any]:
    """The config, not judged yet, with the recipes of its variants laid under their values.

    Parameters
    ----------
    root : the repository, which paths of recipes start from; then the working folder.

    Raises
    ------
    ValueError : a recipe is missing, is no YAML, or holds no sections, or too many.
    """
    variants = config.get("variants")
    if not isinstance(variants, Mapping):
        return dict(config)
    entries = {name: _expanded(name, entry, root) for name, entry in variants.items()}
    return {**config, "variants": entries}


def _expanded(name: str, entry: Any, root: Path) -> Any:
    """The entry of a variant with its recipe; what is no entry is left to the judge."""
    named = entry.get("recipe") if isinstance(entry, Mapping) else None
    if not isinstance(named, str):
        return entry
    recipe = read_recipe(named, f"variants.{name}.recipe", root)
    return laid_over(_taken(recipe), entry)


def _taken(recipe: Values) -> dict[str, Any]:
    """What counts of a recipe: its own sections, then those of its variant."""
    entries = recipe.get("variants") or {}
    chain = chain_of(entries, str(recipe.get("variant")))
    found: dict[str, Any] = {"rounds": 1}
    for values in (recipe, *reversed(chain)):
        own = {key: values[key] for key in TAKEN if values.get(key) is not None}
        found = laid_over(found, own)
    return found


def read_recipe(text: str, key: str, root: Path) -> Values:
    """The sections of a recipe, not judged; raises as `with_recipes`.

    Parameters
    ----------
    text : its path, in the repository or from the working folder. key : names it in sentences.
    """
    path = next((path for path in (root / text, Path(text)) if path.is_file()), None)
    if path is None:
        raise ValueError(
            f"{key}: there is no file {text} in the repository. Correct the path; those that are "
            "shipped are workflow/recipes/*.yaml."
        )
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{key}: {path} is no YAML ({' '.join(str(error).split())}).") from None
    bounded(values, f"{key}: {path}")
    if not isinstance(values, Mapping):
        raise ValueError(
            f"{key}: {path} holds no sections of keys. Name a recipe, such as "
            "workflow/recipes/sam_box.yaml."
        )
    return values
