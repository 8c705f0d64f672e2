"""Keys of clues: what is refused, and with which sentence; what a training depends on."""

import json
from typing import Any

import pytest

from stages.learning.prompt_networks import NETWORKS as DOOR
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
    ({"network": "cnn"}, "must be one of conv, vit, p2b, seen 'cnn'"),
    ({"p2b": {"coarse": {"scales": []}}}, r"p2b\.coarse\.scales: needs as many entries as 1"),
    ({"p2b": {"coarse": {"ratios": [0.0]}}}, r"p2b\.coarse\.ratios\.0: must be more than 0"),
    ({"p2b": {"finer": {"shift": 0.5}}}, r"p2b\.finer\.shift: must be less than 0\.5"),
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


def boxes(*sources: str, labels: str = "point", **changes: Any) -> dict[str, Any]:
    """The default config with P2BNet, and these sources of prompts."""
    entries = [{"source": name} for name in sources]
    prompt = to_values(from_json(Prompt, json.dumps({"sources": entries}), "prompt"))
    p2b = {"fit_prompt": {"network": "p2b"}, "prepare": {"labels": labels}}
    return laid_over(to_values(Config()), {"prompt": prompt, **p2b, **changes})


CONV = {"fit_prompt": {"network": "conv"}}
LEARNING: list[tuple[dict[str, Any], str]] = [
    (boxes("labels"), ""),  # a network that nobody asks
    (boxes("labels", "p2b"), ""),
    (boxes("p2b"), ""),
    (boxes("labels", "p2b", labels="given"), ""),
    (
        boxes("labels", "p2b", **CONV),
        "prompt.sources: p2b does not ask the network that fit_prompt.network names, conv; set "
        "fit_prompt.network: p2b",
    ),
    (
        boxes("grid", "clues", "labels"),
        "prompt.sources: clues does not ask the network that fit_prompt.network names, p2b; set "
        "fit_prompt.network: conv or vit",
    ),
    (
        boxes("labels", "grid", "clues", "p2b"),
        "prompt.sources: clues and p2b learn both, and fit_prompt trains one network; keep one",
    ),
    (
        boxes("labels", "p2b", labels="box"),
        "prompt.sources: p2b makes boxes of points, but prepare.labels is box; set prepare.lab",
    ),
]


@pytest.mark.parametrize(("values", "said"), LEARNING, ids=range(len(LEARNING)))
def test_one_source_learns_from_its_labels_and_its_own_network(
    values: dict[str, Any], said: str
) -> None:
    faults = list(run_faults(values))
    assert " ".join(faults).startswith(said)
    assert bool(faults) == bool(said)


def test_features_of_a_segmenter_that_is_not_asked_are_refused_for_boxes_too() -> None:
    values = boxes("labels", "p2b", propose={"segmenter": "flood"}, select={"method": "largest"})
    values["refine"]["method"] = "as_it_is"
    assert (
        "fit_prompt.p2b.features.source: sam, but propose.segmenter is flood; choose resnet18"
        in (" ".join(run_faults(values)))
    )


def test_one_key_of_a_training_leaves_the_others_of_its_network() -> None:
    changes = {name: {"training": {"clip_norm": 7.0}} for name in ("conv", "vit")}
    settings = from_json(FitPrompt, json.dumps(changes), "fit_prompt")
    assert to_values(settings) == laid_over(to_values(FitPrompt()), changes)
    assert settings.conv.training.lr != settings.vit.training.lr


def test_clues_and_p2b_alone_look_at_pixels() -> None:
    assert [name for name in PROMPTERS if is_looking(name)] == ["clues", "p2b"]


def test_each_network_serves_a_prompter() -> None:
    serving = {
        name: [k for k, p in PROMPTERS.items() if p.fit == m.fit] for name, m in DOOR.items()
    }
    assert serving == {"conv": ["clues"], "vit": ["clues"], "p2b": ["p2b"]}


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
