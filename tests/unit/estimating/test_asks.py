"""What stages ask: numbers by hand."""

from typing import Any

import pytest

from stages.estimating.asks import Asks, asks_of, fit_asks, propose_asks, refine_asks
from stages.estimating.counts import Counts

POINTS = Counts(10, 5, 20, 0, 0, 0, 20, 9, 0, "")
BOXES = Counts(10, 5, 0, 20, 0, 0, 20, 10, 0, "")
PAIRS = Counts(10, 5, 20, 20, 0, 0, 20, 10, 0, "")
TAGS = Counts(10, 5, 0, 0, 15, 0, 0, 0, 8, "")
LABELS = {"source": "labels", "together": False}
LABEL = {"source": "label"}
INNER, AROUND = {"source": "inner_points", "count": 2}, {"source": "boxes", "count": 3}
PROPOSE: dict[str, Any] = {"prompts": [LABEL, INNER, AROUND], "mirror": False}


def _prompt(*sources: dict[str, Any]) -> dict[str, Any]:
    return {"sources": list(sources)}


ASKED = [
    (POINTS, [LABELS], {"points": 20, "inner points": 40, "boxes of masks": 60}, 9),
    (BOXES, [LABELS], {"boxes": 20}, 10),  # more is made of points alone
    (PAIRS, [{"source": "labels", "together": True}], {"boxes": 20}, 10),
    (TAGS, [{"source": "grid", "side": 4}], {"grid points": 128}, 8),
    (TAGS, [{"source": "grid", "side": 2}, {"source": "clues"}],
     {"grid points": 32, "peaks": None}, 8),
    (POINTS, [LABELS, {"source": "p2b"}],
     {"points": 20, "boxes": 20, "inner points": 40, "boxes of masks": 60}, 9),
]  # fmt: skip


@pytest.mark.parametrize(("counts", "sources", "prompts", "looks"), ASKED)
def test_propose_asks_about_each_label_and_what_is_made_of_it(
    counts: Counts, sources: list[dict[str, Any]], prompts: dict[str, int | None], looks: int
) -> None:
    found = propose_asks(counts, _prompt(*sources), PROPOSE)
    assert (dict(found.prompts), found.looks) == (prompts, looks)
    assert found.is_whole == (None not in prompts.values())


def test_the_mirrored_image_doubles_all() -> None:
    found = propose_asks(POINTS, _prompt(LABELS), {**PROPOSE, "mirror": True})
    assert (found.known, found.looks) == (240, 18)


TRAINING = {"epochs": 3, "batch_images": 4, "flip": 0.5}
FITS = [
    ({}, Asks()),
    ({"training": TRAINING}, Asks(steps=9)),
    ({"training": TRAINING, "features": {"source": "resnet50"}}, Asks(steps=9)),
    ({"training": TRAINING, "features": {"source": "sam", "cache": True}},
     Asks(looks=20, steps=9, is_kept=True)),
    ({"training": TRAINING, "features": {"source": "sam", "cache": False}},
     Asks(looks=30, steps=9)),
]  # fmt: skip


@pytest.mark.parametrize(("block", "wanted"), FITS)
def test_a_training_looks_once_at_each_side_where_embeddings_are_kept(
    block: dict[str, Any], wanted: Asks
) -> None:
    assert fit_asks(POINTS, block, "sam") == wanted


def test_refine_looks_twice_at_each_object_close_up() -> None:
    near = {"method": "prm", "zoom": {"enabled": True}}
    assert refine_asks(POINTS, near) == Asks({"boxes close up": 40}, 40)
    assert refine_asks(TAGS, near) == Asks({"boxes close up": None}, None)
    far = {"method": "x", "zoom": {"enabled": False}, "x": {"mask_source": "box_prompt"}}
    assert refine_asks(POINTS, far) == Asks({"boxes": 20}, 10)
    assert refine_asks(POINTS, {**far, "x": {}}) == Asks()


def test_what_one_training_has_kept_the_next_reads() -> None:
    block = {"training": TRAINING, "features": {"source": "sam", "cache": True}}
    settings = {
        "prompt": _prompt(LABELS),
        "propose": {**PROPOSE, "segmenter": "sam"},
        "fit_prompt": {"network": "conv", "conv": block},
        "select": {"method": "mist", "mist": block},
        "refine": {"method": "as_it_is", "zoom": {"enabled": False}},
        "train": {"iterations": 7},
    }
    alone = asks_of(POINTS, settings, ["propose", "fit_select", "train"])
    assert set(alone) == {"propose", "fit_select", "train"}
    assert (alone["fit_select"].looks, alone["train"].steps) == (20, 7)
    both = asks_of(POINTS, settings, ["fit_prompt", "fit_select"])
    assert (both["fit_prompt"].looks, both["fit_select"].looks) == (20, 0)
