from typing import Any

import pytest

from stages.settings.config import Config
from stages.settings.overrides import is_supervised, laid_over, variant_config
from stages.settings.section import from_values, to_values

CONFIG = to_values(Config())


@pytest.mark.parametrize(
    ("base", "values", "wanted"),
    [
        ({}, {}, {}),
        ({"a": 1}, {}, {"a": 1}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
    ],
)
def test_values_are_laid_over(base: Any, values: Any, wanted: Any) -> None:
    assert laid_over(base, values) == wanted


@pytest.mark.parametrize("name", CONFIG["variants"])
def test_every_shipped_variant_is_a_valid_config(name: str) -> None:
    from_values(Config, variant_config(CONFIG, name), "config")


def test_a_name_without_an_entry_is_the_config_itself() -> None:
    assert variant_config(CONFIG, "sapnet") == CONFIG


def test_a_variant_starts_from_another() -> None:
    mil2 = variant_config(CONFIG, "mil2")
    assert mil2["select"]["psm"]["pdg"]["exponent"] == 0.015  # of full
    assert mil2["refine"]["prm"]["ppg"]["enabled"] is False
    assert mil2["refine"]["prm"]["npg"]["t_neg1"] == 0.3


def test_a_detector_on_ground_truth_may_have_its_own_training() -> None:
    entries = {
        "paste": {"of": "fully_supervised", "train": {"iterations": 7}},
        "x": {"of": "paste"},
    }
    config = {**CONFIG, "variants": entries}
    assert variant_config(config, "x")["train"]["iterations"] == 7
    assert variant_config(config, "x")["select"] == CONFIG["select"]
    names = ("fully_supervised", "paste", "x", "sapnet")
    assert [is_supervised(entries, name) for name in names] == [True, True, True, False]


def test_the_default_run_is_the_best_variant() -> None:
    assert variant_config(CONFIG, "best") == CONFIG


@pytest.mark.parametrize(
    ("variants", "sentence"),
    [
        ({"a": {"of": "b"}}, r"variants\.a\.of: there is no variant 'b'"),
        ({"a": {"of": "b"}, "b": {"of": "a"}}, r"variants\.a\.of: goes round in a circle"),
        ({"a": {"of": "a"}}, r"variants\.a\.of: goes round in a circle"),
    ],
)
def test_a_chain_that_leads_nowhere_is_refused(variants: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        variant_config({**CONFIG, "variants": variants}, "a")
