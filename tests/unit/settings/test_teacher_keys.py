"""Keys of SIM's teacher: the paper's values, what depends on what, and who reads which key."""

import json
from typing import Any

import pytest

from stages.settings.propose import Propose
from stages.settings.readers import for_fit
from stages.settings.section import from_json, from_values, to_values


def propose(**block: Any) -> Propose:
    return from_values(Propose, {"segmenter": "sim", "sim": block}, "propose")


def test_the_paper_is_the_default() -> None:
    block, training = propose().sim, propose().sim.training
    assert (block.dim, block.mu, block.stride, block.size, block.long_side) == (16, 5, 8, 800, 1333)
    assert (training.ema, training.lambda_pseudo) == (0.9999, 0.5)
    assert (training.pairwise_threshold, training.pairwise_warmup) == (0.3, 10_000)
    assert (training.optimizer, training.lr, training.batch_images) == ("sgd", 0.01, 16)


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        (
            {"backbone": "small", "checkpoint": "resnet50.pth"},
            r"sim\.backbone is small, which star",
        ),
        ({"training": {"sizes": 1400}}, "sizes reaches 1400, more than .*long_side"),
        ({"long_side": 700}, "sizes reaches 800"),
        ({"channels": 72}, "channels"),
        ({"stride": 2}, "stride"),
        ({"training": {"sizes": [640, 640]}}, "must rise"),
        ({"training": {"batch_images": 1, "processes": 2}}, "fewer than the 2 processes"),
        ({"training": {"pairwise_threshold": 0}}, "pairwise_threshold"),
    ],
)
def test_what_does_not_fit_is_refused(block: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        propose(**block)


def test_the_training_does_not_depend_on_how_boxes_are_asked() -> None:
    kept = for_fit("propose", to_values(propose()))["sim"]
    assert {"training", "dim", "stride", "long_side", "backbone"} < set(kept)
    assert not {"model", "size", "mu", "threshold", "stability_offset"} & set(kept)


def test_a_training_of_small_images_is_asked_with_its_own_sizes() -> None:
    """`size`, which it does not read, has its default there, larger than a small long side."""
    values = to_values(propose(size=64, long_side=96, training={"sizes": 64}))
    text = json.dumps(for_fit("propose", values))
    assert from_json(Propose, text, "propose").sim.long_side == 96
