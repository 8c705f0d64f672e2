"""Section train: rules across its keys, each as a sentence."""

import json
from typing import Any

import pytest

from stages.settings.section import from_json, provenance_values, to_values
from stages.settings.train import Train

OWN = {"engine": "detectron2", "config": "mine.yaml"}


def parsed(**values: Any) -> Train:
    return from_json(Train, json.dumps(values), "train")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"overrides": ["A=1"]}, r"train\.overrides are laid over train\.config, which is null"),
        ({"config": "a.yaml"}, r"engine detectron2 alone; train\.engine is torchvision"),
        ({**OWN, "config": "a.json"}, r"ends neither in \.yaml nor in \.py"),
        ({**OWN, "config": "a.py"}, r"a program that runs with your rights.*run_python: true"),
        ({**OWN, "overrides": ["A 1"]}, r"'A 1' is no KEY=VALUE"),
    ],
    ids=["overrides", "engine", "suffix", "python", "pair"],
)
def test_a_network_of_ones_own_is_refused_in_a_sentence(
    values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        parsed(**values)


def test_where_the_file_lies_does_not_matter_and_what_lies_over_it_does() -> None:
    found = parsed(**OWN, overrides=["A=1=2"], run_python=False)
    values = provenance_values(found)
    assert "config" not in values
    assert values["overrides"] == ["A=1=2"]
    assert parsed(**{**OWN, "config": "a.py"}, run_python=True).config == "a.py"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("given", "sides"), [(64, (64,)), ([64], (64,)), ([64, 96, 128], (64, 96, 128))]
)
def test_sides_come_back_as_they_were_given(given: Any, sides: tuple[int, ...]) -> None:
    found = parsed(short_side=given)
    assert to_values(found)["short_side"] == given
    assert (found.sides, found.test_side) == (sides, sides[-1])
