"""The picture of detectors is written for none, one and many; equal numbers give equal bytes."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stages.metrics.spread import summary
from stages.reporting.detectors_figure import BARS, draw_detectors

ODD = r"a $very|long$ \name of a variant that nobody reads to its end"


def numbers(names: list[str], values: list[float | None]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        measure: summary(values) for measure in (*BARS, "box_ap", "mask_ap_50")
    }
    entry["retention"] = {"mask_ap": summary(values)}
    return {"detectors": {name: entry for name in names}}


@pytest.mark.parametrize(
    ("names", "values"),
    [
        ([], []),
        (["full"], [0.25]),
        (["full", ODD], [None, None]),
        (["full", "best", "fully_supervised"], [0.2, None, 0.3]),
        ([f"variant {k}" for k in range(20)], [0.0, 1.0]),
    ],
    ids=["none", "one", "not measured", "usual", "many"],
)
def test_the_picture_is_1600_px_wide_and_deterministic(
    tmp_path: Path, names: list[str], values: list[float | None]
) -> None:
    for name in ("a.png", "b.png"):
        draw_detectors(numbers(names, values), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert image.width == 1600
        assert 200 < image.height < 2500
        assert len(image.convert("RGB").getcolors(1 << 20) or []) > 10


def test_other_numbers_are_another_picture(tmp_path: Path) -> None:
    draw_detectors(numbers(["full"], [0.25]), tmp_path / "a.png")
    draw_detectors(numbers(["full"], [0.26]), tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()
