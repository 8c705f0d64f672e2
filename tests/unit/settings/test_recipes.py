"""Variants that start from a recipe's file."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.settings.config import Config
from stages.settings.judge import judged
from stages.settings.overrides import variant_config
from stages.settings.readers import SECTIONS
from stages.settings.recipes import with_recipes
from stages.settings.section import from_values, to_values

ROOT = Path(__file__).resolve().parents[3]
CONFIG = to_values(Config())


def _entry(folder: Path, recipe: Any, **own: Any) -> Any:
    """The expanded entry of a variant with this recipe."""
    text = recipe if isinstance(recipe, str) else yaml.safe_dump(recipe)
    (folder / "a.yaml").write_text(text)
    found = with_recipes({"variants": {"x": {"recipe": "a.yaml", **own}}}, folder)
    return found["variants"]["x"]


@pytest.mark.parametrize("variants", [{}, None, {"x": {}}, {"x": None}, {"x": {"recipe": 3}}])
def test_without_a_recipe_nothing_changes(variants: Any, tmp_path: Path) -> None:
    config = {"run": "r", "variants": variants}
    assert with_recipes(config, tmp_path) == config
    assert with_recipes({"run": "r"}, tmp_path) == {"run": "r"}


def test_of_a_recipe_count_the_sections_of_a_variant_its_rounds_and_again(tmp_path: Path) -> None:
    counts = {"prepare": {"labels": "box"}, "rounds": 2, "again": {"refine": {"method": "sim"}}}
    others = {"run": "b", "seed": 3, "dataset": {"source": "files"}, "evaluate": {"match": "iou"}}
    entry = _entry(tmp_path, {**counts, **others, "report": {"seeds": [7]}})
    assert entry == {"recipe": "a.yaml", **counts}


def test_a_variants_own_values_lie_over_the_recipes(tmp_path: Path) -> None:
    recipe = {"propose": {"clean": 0, "sam": {"model": "vit_b"}}, "select": None}
    entry = _entry(tmp_path, recipe, propose={"sam": {"model": "vit_h"}})
    assert entry["propose"] == {"clean": 0, "sam": {"model": "vit_h"}}
    assert "select" not in entry


def test_a_recipe_without_rounds_has_one(tmp_path: Path) -> None:
    assert _entry(tmp_path, {"variant": "b"})["rounds"] == 1
    assert _entry(tmp_path, {}, rounds=3)["rounds"] == 3


def test_the_recipes_own_variant_counts_too(tmp_path: Path) -> None:
    variants = {
        "best": {"of": "base", "over": "base", "refine": {"clean": 0.5}},
        "base": {"refine": {"clean": 0.1, "chunk": 4}, "rounds": 2},
        "other": {"refine": {"chunk": 9}},
    }
    recipe = {"variant": "best", "refine": {"method": "as_it_is"}, "variants": variants}
    entry = _entry(tmp_path, recipe)
    assert entry["refine"] == {"method": "as_it_is", "clean": 0.5, "chunk": 4}
    assert entry["rounds"] == 2
    assert not {"of", "over"} & set(entry)


FAULTY = [("- a", "holds no sections of keys"), ("", "no sections"), ("a: [", "is no YAML")]


@pytest.mark.parametrize(("text", "sentence"), FAULTY)
def test_a_file_that_is_no_recipe_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"variants\.x\.recipe: .*a\.yaml.*{sentence}") as error:
        _entry(tmp_path, text)
    assert "\n" not in str(error.value)


def test_a_missing_recipe_is_named(tmp_path: Path) -> None:
    config = {"variants": {"x": {"recipe": "gone.yaml"}}}
    with pytest.raises(ValueError, match=r"variants\.x\.recipe: there is no file gone\.yaml"):
        with_recipes(config, tmp_path)


DEMOS = [path.stem for path in (ROOT / "workflow" / "recipes").glob("*_demo.yaml")]


@pytest.mark.parametrize("name", DEMOS)
def test_a_variant_of_a_demo_is_the_demo(name: str) -> None:
    path = f"workflow/recipes/{name}.yaml"
    recipe = yaml.safe_load((ROOT / path).read_text())
    whole = judged(recipe)
    entry = with_recipes({"variants": {"x": {"recipe": path}}}, ROOT)["variants"]["x"]
    config = judged({"variants": {**CONFIG["variants"], "x": entry}})
    found, wanted = variant_config(config, "x"), variant_config(whole, whole["variant"])
    for section in ("prepare", "prompt", "propose", "select", "refine", "export", "train"):
        kind = SECTIONS[section]
        mine, its = (from_values(kind, values[section], section) for values in (found, wanted))
        assert mine == its
    assert entry["rounds"] == whole["rounds"]
