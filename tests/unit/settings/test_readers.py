import json
from collections.abc import Iterator
from typing import Any

import pytest

from stages.methods.refiner import REFINERS
from stages.methods.selector import SELECTORS
from stages.segmenters.segmenter import SEGMENTERS
from stages.settings.overrides import laid_over
from stages.settings.readers import DOORS, SECTIONS, chosen, for_fit, without_places
from stages.settings.section import CHOOSE, FIT, Section, has_mark, provenance_values, to_values
from stages.settings.sentences import models_in


def values_of(section: str, changes: dict[str, Any]) -> dict[str, Any]:
    return laid_over(to_values(SECTIONS[section]()), changes)


BLOCKS = [
    ("propose", {}, {"segmenter", "prompts", "grid", "peaks", "mirror", "clean", "chunk", "sam"}),
    ("select", {}, {"method", "chunk", "psm"}),
    ("select", {"method": "largest"}, {"method", "chunk"}),
    ("refine", {}, {"method", "vote", "zoom", "clean", "mps", "chunk", "prm"}),
    (
        "refine",
        {"method": "as_it_is"},
        {"method", "vote", "zoom", "clean", "mps", "chunk", "as_it_is"},
    ),
]


def _named(value: Any) -> str:
    """For an id that is the same in every process, as a set's own order is not."""
    return str(sorted(value) if isinstance(value, set) else value)


@pytest.mark.parametrize(("section", "changes", "keys"), BLOCKS, ids=_named)
def test_a_stage_gets_the_chosen_block_alone(
    section: str, changes: dict[str, Any], keys: set[str]
) -> None:
    values = values_of(section, changes)
    kept = chosen(section, values)
    assert set(kept) == keys
    assert kept == {key: values[key] for key in keys}
    assert chosen(section, kept) == kept


def test_a_section_without_a_door_is_handed_on_whole() -> None:
    assert chosen("evaluate", values_of("evaluate", {})) == values_of("evaluate", {})


def test_what_convert_alone_reads_is_not_handed_to_export_nor_in_its_header() -> None:
    changes = {"formats": ["voc", "yolo"], "category_ids": "from_one"}
    values = values_of("export", changes)
    kept = {key: values[key] for key in ("transforms", "extra_masks")}
    assert chosen("export", values) == without_places("export", values) == kept
    settings = SECTIONS["export"].model_validate_json(json.dumps(changes))
    assert provenance_values(settings) == kept


@pytest.mark.parametrize(
    ("section", "door"), [("propose", SEGMENTERS), ("select", SELECTORS), ("refine", REFINERS)]
)
def test_every_method_with_keys_has_its_block(section: str, door: dict[str, Any]) -> None:
    fields = SECTIONS[section].model_fields
    assert {name for name in door if name in fields} == {
        name for name, method in door.items() if method.settings
    }
    assert DOORS[section][1] is door


MINED = {"prm": {"bms": {"mode": "code", "stages": ["psm", "prm"]}}}
# what changes in a section, whether the training is joint, whether a training sees the change
FITS: list[tuple[str, dict[str, Any], bool, bool]] = [
    ("select", {"psm": {"training": {"lr": 0.5}}}, False, True),
    ("select", {"psm": {"pdg": {"exponent": 9.0}}}, False, True),
    ("select", {"psm": {"features": {"hidden": 64}}}, False, True),
    ("select", {"psm": {"loss_weight": 0.5}}, False, True),
    ("select", {"psm": {"background": True}}, False, True),
    ("select", {"method": "largest"}, False, True),
    ("select", {"chunk": 1}, False, False),
    ("select", {"chunk": 1}, True, False),
    ("select", {"psm": {"quality_exponent": 0.0}}, False, False),
    ("select", {"psm": {"quality_exponent": 0.0}}, True, True),
    ("refine", {"method": "as_it_is"}, False, True),
    ("refine", {"prm": {"npg": {"background": 5}}}, False, True),
    ("refine", {"prm": {"ppg": {"enabled": False}}}, False, True),
    ("refine", {"prm": {"ppg": {"form": "paper"}}}, False, True),
    ("refine", {"prm": {"weight_dis": True}}, False, True),
    ("refine", {"prm": {"start": "scratch"}}, False, True),
    ("refine", {"prm": {"fit": "joint"}}, False, True),
    ("refine", {"prm": {"alpha": 0.5}}, False, True),
    ("refine", {"prm": {"neg_norm": "kept"}}, False, True),
    ("refine", {"prm": {"training": {"epochs": 1}}}, False, True),
    ("refine", {"prm": {"score": "sigmoid"}}, False, False),
    ("refine", {"prm": {"pdg_exponent": 0.0}}, False, False),
    ("refine", {"prm": {"quality_exponent": 1.0}}, False, False),
    ("refine", {"vote": {"enabled": False}}, False, False),
    ("refine", {"zoom": {"enabled": False}}, False, False),
    ("refine", {"clean": 0.0}, False, False),
    ("refine", {"mps": "code"}, False, False),
    ("refine", {"chunk": 1}, False, False),
    ("refine", {"as_it_is": {"bms": {"mode": "paper"}}}, False, False),
    ("refine", {"prm": {"bms": {"mode": "code"}}}, False, False),
    ("refine", {"prm": {"bms": {"mode": "none", "stages": ["psm"]}}}, False, False),
    ("refine", MINED, False, True),
]


@pytest.mark.parametrize(("section", "changes", "joint", "seen"), FITS, ids=str)
def test_a_training_depends_on_what_it_reads_and_no_more(
    section: str, changes: dict[str, Any], joint: bool, seen: bool
) -> None:
    before = for_fit(section, values_of(section, {}), joint=joint)
    after = for_fit(section, values_of(section, changes), joint=joint)
    assert (before != after) == seen


@pytest.mark.parametrize("section", ["select", "refine"])
def test_the_settings_of_a_training_are_settings_of_the_section(section: str) -> None:
    fit = for_fit(section, values_of(section, {}))
    assert SECTIONS[section].model_validate_json(json.dumps(fit))
    assert for_fit(section, fit | {"chunk": 3}) == fit


@pytest.mark.parametrize("section", SECTIONS)
def test_plain_values_lose_the_same_paths_as_settings(section: str) -> None:
    assert without_places(section, values_of(section, {})) == provenance_values(SECTIONS[section]())


def _fields(model: type[Section]) -> Iterator[Any]:
    for info in model.model_fields.values():
        yield info
        for inner in models_in(info.annotation):
            yield from _fields(inner)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_key_has_one_reader_or_all(section: str) -> None:
    for info in _fields(SECTIONS[section]):
        assert not (has_mark(info, FIT) and has_mark(info, CHOOSE)), info.description
