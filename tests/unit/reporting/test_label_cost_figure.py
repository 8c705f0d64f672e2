"""The picture of label_cost: kinds that were measured, with and without spread."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stages.reporting.label_cost_figure import draw_label_costs


def _kind(seconds: float, *values: float | None) -> dict[str, Any]:
    mean = values[0]
    sd = 0.1 if len(values) > 1 else None
    entry = {"mean": mean, "sd": sd, "per_seed": list(values)}
    cost = {"mean": seconds, "sd": sd, "per_seed": [seconds]}
    return {"seconds": cost, "mask_ap": entry, "label_ap": {**entry, "mean": None}}


KINDS = {
    "nothing": {},
    "one": {"points": _kind(15.0, 0.3)},
    "many": {"free": _kind(0.0, 0.2), "points": _kind(15.0, 0.3, 0.4), "$x_1$": _kind(400.0, None)},
}


@pytest.mark.parametrize("name", KINDS)
def test_equal_numbers_give_equal_pictures(name: str, tmp_path: Path) -> None:
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in paths:
        draw_label_costs({"kinds": KINDS[name]}, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with Image.open(paths[0]) as image:
        assert image.size == (1600, 650)
