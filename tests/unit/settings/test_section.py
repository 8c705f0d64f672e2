from typing import Any

import pytest
from pydantic import ValidationError

from stages.settings.propose import Propose
from stages.settings.section import (
    from_json,
    from_values,
    provenance_values,
    to_values,
)
from stages.settings.select import Select
from stages.settings.train import Train


def test_nothing_given_gives_the_defaults() -> None:
    assert from_json(Select, "{}", "select") == Select()


def test_given_keys_win_and_the_others_keep_their_defaults() -> None:
    select = from_json(Select, '{"psm": {"pdg": {"exponent": 2}}, "chunk": 3}', "select")
    assert (select.psm.pdg.exponent, select.chunk) == (2.0, 3)
    assert select.psm.pdg.apply == Select().psm.pdg.apply


def test_settings_round_trip_through_plain_values() -> None:
    propose = from_values(Propose, {"prompts": [{"source": "label"}]}, "propose")
    assert from_values(Propose, to_values(propose), "propose") == propose
    assert isinstance(propose.prompts, tuple)


def test_settings_are_frozen_at_every_depth() -> None:
    select = Select()
    for node, key in ((select, "chunk"), (select.psm, "pdg"), (select.psm.pdg, "exponent")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(node, key, None)


@pytest.mark.parametrize(
    ("settings", "paths"),
    [
        (
            Propose(),
            [
                *("sam.checkpoint", "transformers.path", "saliency.checkpoint"),
                *("boxcaseg.model", "boxcaseg.checkpoint", "sim.model", "sim.checkpoint"),
            ],
        ),
        (
            Select(),
            [
                f"{method}.features.{key}"
                for method in ("psm", "oicr", "mist")
                for key in ("weights", "path")
            ],
        ),
        (Train(weights="elsewhere/resnet.pth"), ["weights", "config"]),
    ],
    ids=["propose", "select", "train"],
)
def test_a_header_holds_all_but_the_paths_of_files(settings: Any, paths: list[str]) -> None:
    wanted = to_values(settings)
    for path in paths:
        *sections, last = path.split(".")
        node = wanted
        for section in sections:
            node = node[section]
        del node[last]
    assert provenance_values(settings) == wanted


def test_what_is_no_json_is_said_to_be_none() -> None:
    with pytest.raises(ValueError, match="--settings: not JSON"):
        from_json(Select, "{chunk: 3}", "select")


def test_several_faults_are_named_at_once() -> None:
    with pytest.raises(
        ValueError, match=r"config: unknown key select\.a; unknown key select\.b\. See"
    ):
        from_json(Select, '{"a": 1, "b": 2}', "select")
