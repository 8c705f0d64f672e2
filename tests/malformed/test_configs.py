"""Configs and recipes that are none: refused before any job, with the key and what is allowed."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.settings.command_line import with_numbers
from stages.settings.judge import judged
from stages.settings.overrides import laid_over
from stages.settings.recipes import with_recipes
from tests.alias_bomb import BOMB

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
BASE = yaml.safe_load((ROOT / "config.yaml").read_text())
NAN, INFINITE = float("nan"), float("inf")


def _deep(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


KEYS: dict[str, tuple[dict[Any, Any], str]] = {
    "a run with an end of line": ({"run": "demo\n"}, "run: must match"),
    "a run above": ({"run": ".."}, "run: must match"),
    "a run in a folder": ({"run": "a/b"}, "run: must match"),
    "a run too long": ({"run": "a" * 300}, "run: must match"),
    "a run with a zero byte": ({"run": "a\0"}, "run: must match"),
    "a run in a list": ({"run": ["a"]}, "run: must be text"),
    "no run": ({"run": None}, "run: must be text"),
    "a variant with an end of line": ({"variant": "v\n"}, "variant: must match"),
    "a share that is NaN": ({"refine": {"prm": {"alpha": NAN}}}, "alpha: must be a finite number"),
    "a rate that is infinite": ({"train": {"lr": INFINITE}}, "train.lr: must be a finite number"),
    "a rate below all": ({"train": {"lr": -INFINITE}}, "train.lr: must be a finite number"),
    "clean that is NaN": ({"propose": {"clean": NAN}}, "propose.clean: must be a finite number"),
    "a seed below 0": ({"seed": -1}, "seed: must be at least 0"),
    "a seed of 10^30": ({"seed": 10**30}, "seed: must be"),
    "a seed with a fraction": ({"seed": 1.5}, "seed: must be a whole number"),
    "a seed that is true": ({"seed": True}, "seed: must be a whole number"),
    "10^12 shards": ({"shards": 10**12}, "shards: must be at most 1000"),
    "no shards": ({"shards": 0}, "shards: must be at least 1"),
    "threads of text": ({"threads": "two"}, "threads: must be a whole number"),
    "a section that is none": ({"select": None}, "select: must be a section of keys"),
    "a section that is a list": ({"select": [1]}, "select: must be a section of keys"),
    "a section that is text": ({"select": "psm"}, "select: must be a section of keys"),
    "a key that is a number": ({5: 1}, "unknown key 5"),
    "a misspelt section": ({"propos": {}}, "unknown key propos .did you mean propose"),
    "a device of no kind": ({"device": "tpu"}, "device: must be"),
    "a set": ({"variant": {"a", "b"}}, "variant: must match"),
    "bytes": ({"variant": b"v"}, "variant: must match"),
    "too deep": ({"select": _deep(3000)}, "nested more than"),
    "lists too deep": (
        {"prompt": {"sources": yaml.safe_load("[" * 60 + "]" * 60)}},
        "nested more than",
    ),
    "an alias to itself": (yaml.safe_load("select: &a {b: *a}"), "an alias leads to itself"),
    "a bomb of aliases": ({"select": yaml.safe_load(BOMB)}, "more than 100000 values"),
}
RECIPES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "there is no file"),
    "a folder": (lambda path: path.mkdir(), "there is no file"),
    "a pipe": (os.mkfifo, "there is no file"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "there is no file"),
    "emptied": (lambda path: path.write_text(""), "holds no sections of keys"),
    "a list": (lambda path: path.write_text("[1]"), "holds no sections of keys"),
    "no YAML": (lambda path: path.write_text("a: ["), "is no YAML"),
    "bytes": (lambda path: path.write_bytes(bytes(range(256))), "is no YAML"),
    "two documents": (lambda path: path.write_text("a: 1\n---\nb: 2\n"), "is no YAML"),
    "too deep": (lambda path: path.write_text("[" * 100_000), "is no YAML"),
    "code": (lambda path: path.write_text("!!python/object/apply:os.getcwd []"), "is no YAML"),
    "an alias to itself": (lambda path: path.write_text("a: &a {b: *a}"), "leads to itself"),
    "a bomb of aliases": (lambda path: path.write_text(BOMB), "more than 100000 values"),
}


def _judge(changes: dict[Any, Any]) -> None:
    """As the Snakefile does, from what Snakemake has read."""
    config = with_numbers({**BASE, **changes}, {})
    judged(with_recipes(laid_over(BASE, config), ROOT))


def test_the_shipped_config_is_sound() -> None:
    _judge({})


@pytest.mark.parametrize(("changes", "words"), KEYS.values(), ids=KEYS.keys())
def test_a_key_that_is_none_is_refused(changes: dict[Any, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        _judge(changes)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("make", "words"), RECIPES.values(), ids=RECIPES.keys())
def test_a_recipe_that_is_none_is_refused(
    tmp_path: Path, make: Callable[[Path], object], words: str
) -> None:
    path = tmp_path / "recipe.yaml"
    make(path)
    with pytest.raises(ValueError, match=words) as refused:
        _judge({"variants": {"mine": {"recipe": str(path)}}})
    assert "variants.mine.recipe" in str(refused.value)
    assert "\n" not in str(refused.value)
