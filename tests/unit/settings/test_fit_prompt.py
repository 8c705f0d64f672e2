"""Keys of clues: what is refused, and with which sentence; what a training depends on."""

import json
from typing import Any

import pytest

from stages.methods.prompter import PROMPTERS, is_looking
from stages.settings.config import Config
from stages.settings.fit_prompt import FitPrompt
from stages.settings.overrides import laid_over
from stages.settings.prompt import Prompt
from stages.settings.readers import chosen, for_fit
from stages.settings.rules import run_faults
from stages.settings.section import from_json, provenance_values, to_values

NETWORKS = [
    ({"network": "conv", "conv": {"features": {"source": "resnet18"}}}, "clues look through a fro"),
    (
        {"vit": {"dim": 100, "heads": 6}},
        r"fit_prompt\.vit: dim 100 is not a multiple .* dim to 102",
    ),
    ({"vit": {"patch": 64, "side": 32}}, "patch 64 is more than side 32"),
    ({"vit": {"short_side": 600}}, "short_side 600 is more than long_side 512"),
    ({"network": "cnn"}, "must be one of conv, vit, seen 'cnn'"),
]
SOURCES = [
    ({"kernel": 128}, r"kernel: 128 is even.*set 129"),
    ({"cross_kernel": 16}, r"cross_kernel: 16 is even.*set 17"),
    ({"maps": ["coarse", "coarse"]}, "names one twice"),
    ({"maps": []}, "maps"),
    ({"scales": [1.0, 1.0]}, "names one twice"),
    ({"maps": ["cam"]}, "must be one of"),
]


@pytest.mark.parametrize(("values", "sentence"), NETWORKS, ids=str)
def test_networks_that_cannot_be_are_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        from_json(FitPrompt, json.dumps(values), "fit_prompt")


@pytest.mark.parametrize(("values", "sentence"), SOURCES, ids=str)
def test_peaks_that_cannot_be_are_refused(values: dict[str, Any], sentence: str) -> None:
    entry = {"source": "clues", **values}
    with pytest.raises(ValueError, match=sentence):
        from_json(Prompt, json.dumps({"sources": [entry]}), "prompt")


GRID = {"source": "grid"}


def config(**changes: Any) -> dict[str, Any]:
    """The default config with a grid and clues as the sources of prompts."""
    sources = [*changes.pop("before", [GRID]), {"source": "clues", **changes.pop("entry", {})}]
    prompt = to_values(from_json(Prompt, json.dumps({"sources": sources}), "prompt"))
    return laid_over(to_values(Config()), {"prompt": prompt, **changes})


VIT = {"fit_prompt": {"network": "vit"}}
MAPS: list[tuple[dict[str, Any], str]] = [
    (config(before=[]), "prompt.sources: clues asks nothing about an image in which it sees no"),
    (config(), ""),
    (config(entry={"maps": ["coarse", "fine", "cross"]}, **VIT), ""),
    (
        config(entry={"maps": ["coarse", "fine", "cross"]}),
        "prompt.sources: clues looks at fine and cross maps, but fit_prompt.network is conv",
    ),
    (config(propose={"segmenter": "flood"}, select={"method": "largest"}), "fit_prompt.conv.feat"),
    (config(propose={"segmenter": "flood"}, select={"method": "largest"}, **VIT), ""),
]


@pytest.mark.parametrize(("values", "said"), MAPS, ids=range(len(MAPS)))
def test_sources_networks_and_segmenters_go_together(values: dict[str, Any], said: str) -> None:
    if values["select"]["method"] == "largest":
        values["refine"]["method"] = "as_it_is"
    faults = " ".join(run_faults(values))
    assert faults.startswith(said)
    assert bool(faults) == bool(said)


def test_one_key_of_a_training_leaves_the_others_of_its_network() -> None:
    changes = {name: {"training": {"clip_norm": 7.0}} for name in ("conv", "vit")}
    settings = from_json(FitPrompt, json.dumps(changes), "fit_prompt")
    assert to_values(settings) == laid_over(to_values(FitPrompt()), changes)
    assert settings.conv.training.lr != settings.vit.training.lr


def test_only_clues_look_at_pixels() -> None:
    assert [name for name in PROMPTERS if is_looking(name)] == ["clues"]


def test_a_training_depends_on_its_own_network_and_not_on_where_files_lie() -> None:
    before = for_fit("fit_prompt", provenance_values(FitPrompt()))
    assert set(before) == {"network", "conv"}
    for changes, seen in (
        ({"vit": {"depth": 3}}, False),
        ({"model": "other.pt"}, False),
        ({"conv": {"layers": 1}}, True),
        ({"conv": {"training": {"lr": 0.5}}}, True),
        ({"network": "vit"}, True),
    ):
        settings = from_json(FitPrompt, json.dumps(changes), "fit_prompt")
        assert (for_fit("fit_prompt", provenance_values(settings)) != before) == seen
    assert set(chosen("fit_prompt", to_values(FitPrompt()))) == {"model", "network", "conv"}
