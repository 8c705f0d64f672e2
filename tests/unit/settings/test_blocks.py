"""A method is added by one line in a door: the section then has its keys, and judges them."""

from typing import Any

import pytest

from stages.runtime.doors import Method
from stages.settings.blocks import OneOf, items_of, union_of, with_blocks
from stages.settings.prompt import Source
from stages.settings.section import Annotated, Section, from_values, to_values

PSM, PRM = "stages.settings.selectors.psm", "stages.settings.refiners.prm"
DOOR = {"psm": Method("a", settings=PSM), "oicr": Method("b", settings=PRM), "first": Method("c")}


class Shared(Section):
    """Keys that all methods have."""

    method: Annotated[str, OneOf(DOOR)] = "first"


BLOCKS = with_blocks(Shared, "Blocks", DOOR)
SOURCES = items_of(DOOR, "source", Source)


def test_each_method_with_keys_has_a_block_with_its_defaults() -> None:
    values = to_values(BLOCKS())
    assert list(values) == ["method", "psm", "oicr"]
    assert values["oicr"]["alpha"] == 0.25


def test_a_block_is_described_by_its_class() -> None:
    assert BLOCKS.model_fields["oicr"].description == (
        "PNPG, PRM and BMS: learned (SAPNet, Sec. 3.3 and 3.4)"
    )
    assert SOURCES["oicr"].model_fields["source"].description == (
        BLOCKS.model_fields["oicr"].description
    )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"method": "mist"}, "x.method: must be one of psm, oicr, first, seen 'mist'"),
        ({"oicr": {"alpha": 3}}, "x.oicr.alpha: must be at most 1, seen 3"),
        ({"first": {}}, "unknown key x.first"),
    ],
)
def test_a_new_block_is_judged(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        from_values(BLOCKS, values, "x")


class Entries(Section):
    """A list of methods."""

    sources: tuple[union_of(SOURCES, "source"), ...] = ()  # type: ignore[misc]


def test_an_entry_of_a_list_has_the_keys_of_its_kind_alone() -> None:
    entries = [{"source": "first"}, {"source": "oicr", "alpha": 0.5}]
    assert to_values(from_values(Entries, {"sources": entries}, "x"))["sources"][1]["alpha"] == 0.5
    with pytest.raises(ValueError, match=r"unknown key x\.sources\.0\.alpha"):
        from_values(Entries, {"sources": [{"source": "first", "alpha": 0.5}]}, "x")
