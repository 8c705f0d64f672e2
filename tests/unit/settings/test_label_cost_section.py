"""Section `label_cost`: what it names, and what may be in it."""

import re
from typing import Any

import pytest

from stages.settings.config import Config
from stages.settings.cost_rules import cost_faults
from stages.settings.judge import judged
from stages.settings.label_cost import KINDS, LabelCost
from stages.settings.section import to_values


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"variants": []}, "label_cost.variants: needs as many entries as 1"),
        ({"variants": ["tags", "tags"]}, "label_cost.variants: ['tags', 'tags'] names one twice"),
        ({"seeds": [1, 1]}, "label_cost.seeds: [1, 1] names one twice"),
        ({"seconds": {"box": -1}}, "label_cost.seconds.box: must be at least 0"),
        ({"seconds": {"boxes": 7}}, "unknown key label_cost.seconds.boxes (did you mean box?)"),
    ],
    ids=str,
)
def test_what_it_does_not_hold_is_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        judged({"label_cost": values})


def test_its_default_kinds_are_shipped_variants() -> None:
    config = to_values(Config())
    assert set(LabelCost().variants) - {"fully_supervised"} == set(KINDS) <= set(config["variants"])
    assert [fault for fault in cost_faults(config) if "there is no variant" in fault] == []


BASES: list[dict[str, Any]] = [  # configs that the shipped kinds do not fit, and need not
    {
        "prepare": {"labels": "tag"},
        "select": {"method": "oicr"},
        "refine": {"method": "adaptive_pgt"},
    },
    {"evaluate": {"match": "instance"}},
    {"fit_prompt": {"network": "p2b"}},
    {"train": {"enabled": False}},
]


@pytest.mark.parametrize("base", BASES, ids=str)
def test_its_variants_forbid_no_config(base: dict[str, Any]) -> None:
    report = {"variants": ["sapnet"], "detectors": []}
    strangers = {**KINDS, "mine": {"recipe": "a.yaml", "prepare": {"labels": "tag"}}}
    assert judged({"variants": strangers, "report": report, **base})
