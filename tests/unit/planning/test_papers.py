"""papers: how a run's settings differ from the recipe of its paper."""

from pathlib import Path
from typing import Any

import pytest

from stages.planning.papers import METHODS, differing, paper_of
from stages.settings.judge import judged
from stages.settings.overrides import laid_over, variant_config
from stages.settings.recipes import read_recipe

ROOT = Path(__file__).resolve().parents[3]
PAPERS = sorted({name for *_, name in METHODS})


def _config(name: str, **changes: Any) -> dict[str, Any]:
    values = read_recipe(f"workflow/recipes/{name}", "test", ROOT)
    whole = judged(laid_over(laid_over(judged({}), values), changes))
    return variant_config(whole, whole["variant"])


@pytest.mark.parametrize("name", PAPERS)
def test_the_recipe_of_a_paper_is_its_own_and_differs_in_nothing(name: str) -> None:
    config = _config(name)
    assert paper_of(config) == name
    assert differing(config, name, ROOT) == []


def test_each_key_that_differs_is_told_with_both_values() -> None:
    changes = {"select": {"psm": {"loss_weight": 0.125}}, "export": {"extra_masks": 2}}
    found = {
        key: (ours, theirs)
        for key, ours, theirs in differing(_config("sapnet.yaml", **changes), "sapnet.yaml", ROOT)
    }
    assert found["select.psm.loss_weight"][0] == "0.125"
    assert found["export.extra_masks"][0] == "2"
    assert len(found) <= 2


def test_methods_of_no_paper_have_none() -> None:
    plain = judged({"select": {"method": "sam_top1"}, "refine": {"method": "as_it_is"}})
    assert paper_of(plain) is None


def test_the_default_config_is_held_against_sapnet() -> None:
    config = judged({})
    assert paper_of(config) == "sapnet.yaml"
    keys = [key for key, *_ in differing(config, "sapnet.yaml", ROOT)]
    assert "select.psm.training.epochs" in keys
    assert not any(key.startswith("select.oicr") for key in keys)  # of a method that is not chosen
