"""How many rounds a variant has, and what is refused of them."""

from typing import Any

import pytest

from stages.settings.judge import judged
from stages.settings.overrides import parted, round_name, variant_config
from stages.settings.rounds import round_names, rounds_of

RELABEL: dict[str, Any] = {"refine": {"method": "relabel", "zoom": {"enabled": True}}}
TWICE: dict[str, Any] = {"rounds": 2, "again": RELABEL}
NAMED = {"report": {"variants": ["once", "twice"], "detectors": []}}


def _judged(**values: Any) -> dict[str, Any]:
    return judged({"variant": "v", **NAMED, "variants": {"once": {}, "twice": {}}, **values})


def test_names_of_rounds_come_apart_again() -> None:
    for name, number in (("full", 1), ("full", 2), ("a.b-c", 13)):
        assert parted(round_name(name, number)) == (name, number)
    assert round_name("full", 1) == "full"


COUNTS = [  # config, rounds of v, once, twice
    ({}, 1, 1, 1),
    (TWICE, 2, 2, 2),
    ({**TWICE, "rounds": 3}, 3, 3, 3),
    ({"variants": {"once": {}, "twice": TWICE}}, 1, 1, 2),
    ({**TWICE, "variants": {"once": {"rounds": 1}, "twice": {"rounds": 4}}}, 2, 1, 4),
    # of those that read no round before, a later round would repeat the first
    ({"variants": {"once": {"rounds": 2}, "twice": {"of": "once", "again": RELABEL}}}, 1, 1, 2),
]


@pytest.mark.parametrize(("values", "v", "once", "twice"), COUNTS)
def test_a_variant_has_its_own_number_of_rounds(
    values: dict[str, Any], v: int, once: int, twice: int
) -> None:
    config = _judged(**values)
    assert [rounds_of(config, name) for name in ("v", "once", "twice")] == [v, once, twice]
    assert round_names(config, "twice")[-1] == round_name("twice", twice)


def test_what_comes_again_lies_over_a_variant_and_its_base() -> None:
    values = {
        "again": {"refine": {"method": "relabel", "relabel": {"overlap": 0.1}}},
        "variants": {
            "once": {"refine": {"clean": 0.5}, "again": {"refine": {"relabel": {"near": 0.2}}}},
            "twice": {"of": "once", "again": {"refine": {"relabel": {"overlap": 0.3}}}},
        },
    }
    config = _judged(**values)
    first, second = (variant_config(config, name)["refine"] for name in ("twice", "twice/round-2"))
    assert (first["method"], second["method"]) == ("prm", "relabel")
    assert first["clean"] == second["clean"] == 0.5
    assert (second["relabel"]["overlap"], second["relabel"]["near"]) == (0.3, 0.2)
    assert first["relabel"]["overlap"] == 0.7


REFUSED = [  # config; what the sentence has
    ({"rounds": 0}, "rounds"),
    ({"rounds": 2}, "would repeat the first"),
    ({"refine": {"method": "relabel"}}, "a first round has none"),
    ({"variants": {"once": {}, "twice": {"refine": {"method": "relabel"}}}}, "variants.twice"),
    ({"again": {"refine": {"method": "relable"}}}, "again.refine.method"),
    ({"again": {"prepare": {}}}, "again.prepare"),
    ({**TWICE, "again": {"refine": {"method": "relabel", "zoom": {"enabled": False}}}}, "close_up"),
    ({**TWICE, "train": {"enabled": False}}, "train.enabled is false"),
]


@pytest.mark.parametrize(("values", "said"), REFUSED)
def test_rounds_that_cannot_be_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace(".", r"\.")):
        _judged(**values)
