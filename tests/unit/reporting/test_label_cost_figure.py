"""The picture of label_cost: kinds that were measured, with and without spread."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from stages.reporting import label_cost_figure
from stages.reporting.label_cost_figure import alike, draw_label_costs, spread_out


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


def test_both_panels_reach_to_what_one_of_them_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The truth has no labels that could be scored, and costs the most."""
    seen = []

    @contextmanager
    def kept(out: Path, size: tuple[float, float]) -> Iterator[Figure]:
        figure = Figure(figsize=size)
        seen.append(figure)
        yield figure

    monkeypatch.setattr(label_cost_figure, "canvas", kept)
    points = _kind(15.0, 0.3, 0.4)
    kinds = {"points": {**points, "label_ap": points["mask_ap"]}, "truth": _kind(400.0, 0.5)}
    draw_label_costs({"kinds": kinds}, tmp_path / "a.png")
    for axis in seen[0].axes:
        low, high = axis.get_xlim()
        assert low < 15
        assert high > 400


def test_kinds_of_like_cost_are_named_together() -> None:
    assert alike([38.2, 10.0, 52.5, 15.4, 38.2, 358.2]) == [[1], [3], [0, 4, 2], [5]]
    assert alike([]) == []


def test_names_keep_their_order_and_their_distance() -> None:
    placed = spread_out(np.array([41.3, 39.1, 39.3, 20.0]), 1.0)
    assert placed.argsort().tolist() == [3, 1, 2, 0]
    assert np.diff(np.sort(placed)).min() >= 1.0 - 1e-9
    assert placed.mean() == pytest.approx(np.mean([41.3, 39.1, 39.3, 20.0]))
    assert spread_out(np.zeros(0), 1.0).tolist() == []
