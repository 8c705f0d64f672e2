"""The shipped variants: rows of the paper's tables, and the defaults at the end of the chain."""

from typing import Any

import pytest

from stages.settings.config import Config
from stages.settings.overrides import variant_config
from stages.settings.section import to_values
from stages.settings.variants import VARIANTS

CONFIG = to_values(Config())
PRM = ("refine", "prm")
ROWS: dict[str, dict[tuple[str, ...], Any]] = {  # variant -> what its row of the paper says
    "mil": {("select", "psm", "pdg", "apply"): "none", ("refine", "method"): "as_it_is"},
    "pdg": {("select", "psm", "pdg", "apply"): "score", ("refine", "method"): "as_it_is"},
    "mil2": {(*PRM, "ppg", "enabled"): False, (*PRM, "npg", "enabled"): False},
    "pnpg": {(*PRM, "ppg", "enabled"): True, (*PRM, "npg", "enabled"): True},
    "full": {(*PRM, "bms", "mode"): "paper", (*PRM, "ppg", "form"): "paper"},
    "mps": {("train", "multi_mask", "enabled"): True},
    **{
        f"table5_{t1}_{t2}": {
            (*PRM, "bms", "t_min1"): t1 / 100,
            (*PRM, "bms", "t_min2"): t2 / 100,
            (*PRM, "bms", "mode"): "paper",
        }
        for t1, t2 in ((50, 30), (50, 40), (60, 40), (70, 30), (70, 40))
    },
    **{
        f"table6_{name}": {
            (*PRM, "ppg", "enabled"): name == "ppg",
            (*PRM, "npg", "enabled"): name == "npg",
            (*PRM, "bms", "mode"): "paper",
        }
        for name in ("none", "ppg", "npg")
    },
    **{
        f"table8_{t1}_{t2}": {
            (*PRM, "npg", "t_neg1"): t1 / 100,
            (*PRM, "npg", "t_neg2"): t2 / 100,
            (*PRM, "npg", "part_mode"): "random",
        }
        for t1, t2 in ((30, 30), (50, 30), (50, 50))
    },
}


def value_at(config: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        config = config[key]
    return config


@pytest.mark.parametrize("name", ROWS)
def test_a_row_of_the_paper_is_full_but_for_what_it_says(name: str) -> None:
    found, full = variant_config(CONFIG, name), variant_config(CONFIG, "full")
    for path, wanted in ROWS[name].items():
        assert value_at(found, path) == wanted
    assert found["refine"]["prm"]["fit"] == "joint"
    assert found["select"]["psm"]["training"] == full["select"]["psm"]["training"]


def test_rows_of_tables_5_and_6_share_the_trainings_of_others() -> None:
    """BMS trains nothing: only thresholds of NPG, and what is offered, do."""
    full = variant_config(CONFIG, "full")["refine"]["prm"]
    for name in VARIANTS:
        if name.startswith("table5"):
            other = variant_config(CONFIG, name)["refine"]["prm"]
            assert {**other, "bms": 0} == {**full, "bms": 0}


@pytest.mark.parametrize("name", VARIANTS)
def test_mps_alone_has_multi_mask_even_where_the_configs_detector_has_it(name: str) -> None:
    """As that of workflow/recipes/sapnet.yaml, on which Table 4's last gain would be nil."""
    whole = {**CONFIG, "train": {**CONFIG["train"], "multi_mask": {"enabled": True, "gamma": 0.5}}}
    found = variant_config(whole, name)["train"]["multi_mask"]
    assert found == {"enabled": name == "mps", "gamma": 0.5}


def test_the_chain_beyond_the_paper_ends_at_the_defaults() -> None:
    best = variant_config(CONFIG, "best")
    for section in ("prepare", "prompt", "propose", "select", "refine", "export", "train"):
        assert best[section] == CONFIG[section]
