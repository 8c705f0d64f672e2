"""The picture is written for all that can be absent, and equal numbers give equal bytes."""

from pathlib import Path

import pytest
from PIL import Image

from stages.metrics.matched_ablation import matched_ablation
from stages.reporting.matched_figure import draw_matched
from tests.matched import matched

LONG = "a $very|long$ name of a variant that nobody reads to its end"
CASES = {
    "one": ({"top1": 6}, 1, True),
    "no tags": ({"top1": 6, "adaptive": 2}, 1, False),
    "usual": ({"top1": 6, "adaptive": 2, LONG: 9}, 3, True),
}


@pytest.mark.parametrize(("shifts", "seeds", "tagged"), CASES.values(), ids=CASES.keys())
def test_the_picture_is_1600_px_wide_and_deterministic(
    tmp_path: Path, shifts: dict[str, int], seeds: int, *, tagged: bool
) -> None:
    runs = {
        name: [matched(seed, shift, tagged=tagged) for seed in range(seeds)]
        for name, shift in shifts.items()
    }
    for name in ("a.png", "b.png"):
        draw_matched(matched_ablation(runs, {}), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert image.width == 1600
        assert image.height > 300
        assert len(image.convert("RGB").getcolors(1 << 20) or []) > 10
