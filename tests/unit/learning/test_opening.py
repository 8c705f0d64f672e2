"""Features and networks by the names of the door."""

from pathlib import Path
from typing import Any

import pytest
import torch

from stages.learning.arguments import feature_modules
from stages.learning.model_file import save_model
from stages.learning.opening import feature_facts, fitted_network, open_inputs, open_network
from stages.learning.pixel_inputs import PixelInputs
from stages.learning.sam_inputs import SamInputs
from stages.settings.propose import Propose
from stages.settings.segmenters.sam import Settings as Sam
from stages.settings.selectors.psm import Features

SMALL = {"channels": 16, "hidden": 32, "roi_size": 3}
KINDS = [
    ("sam", SamInputs, ("stages.learning.sam_inputs", "stages.segmenters.sam")),
    ("resnet18", PixelInputs, ("stages.learning.pixel_inputs",)),
]


@pytest.mark.parametrize(("source", "kind", "modules"), KINDS, ids=["sam", "resnet18"])
def test_each_source_opens_its_own_module(
    tmp_path: Path, random_sam: dict[str, Any], source: str, kind: type, modules: tuple[str, ...]
) -> None:
    propose, features = Propose(sam=Sam(**random_sam)), Features(source=source, **SMALL)
    inputs = open_inputs(features, propose, folder=tmp_path, device=torch.device("cpu"))
    assert type(inputs) is kind
    assert feature_modules(features, propose) == modules
    facts = feature_facts(features, propose)
    assert ("segment-anything-py" in facts["packages"]) == (source == "sam")
    assert ("model_sha256" in facts) == (source == "sam")


def test_a_model_is_read_back_without_the_heads_that_nobody_asks_for(
    tmp_path: Path, random_sam: dict[str, Any]
) -> None:
    propose, features = Propose(sam=Sam(**random_sam)), Features(**SMALL)
    inputs = open_inputs(features, propose, folder=tmp_path, device=torch.device("cpu"))
    network = open_network(features, inputs, {"psm": 4, "prm": 3})
    save_model(tmp_path / "model.pt", network, {})
    again = fitted_network(tmp_path / "model.pt", features, inputs, {"prm": 3})
    assert not again.training
    for name, value in again.state_dict().items():
        assert torch.equal(value, network.state_dict()[name])
    assert list(again.heads) == ["prm"]
