"""The picture is written for everything the table can hold, and equal numbers give equal bytes."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stages.metrics.ablation import ablation
from stages.reporting.ablation_figure import draw_ablation
from tests.measured import measured

CHOICES = {"random": 0.3, "sam_top1": 0.4, "best_in_bag": 0.8, "pseudo_label": 0.5}
ODD = r"a $very|long$ \name of a variant that nobody reads to its end"


def numbers(names: list[str], seeds: int, **more: Any) -> dict[str, Any]:
    runs = {name: [measured(CHOICES, **more)] * seeds for name in names}
    return ablation(runs, dict.fromkeys(names[1:], names[0]))


@pytest.mark.parametrize(
    ("names", "seeds", "more"),
    [
        (["full"], 1, {}),
        (["full", "best"], 1, {"sizes": {}}),
        (["sam_top1", "mil", "pdg"], 3, {}),
        ([ODD, "full"], 2, {"sizes": {f"$kind {k}": 4 for k in range(9)}}),
    ],
    ids=["no gains", "no difficulties", "usual", "odd names, many kinds"],
)
def test_the_picture_is_1600_px_wide_and_deterministic(
    tmp_path: Path, names: list[str], seeds: int, more: dict[str, Any]
) -> None:
    for name in ("a.png", "b.png"):
        draw_ablation(numbers(names, seeds, **more), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert image.width == 1600
        assert image.height > 300
        assert len(image.convert("RGB").getcolors(1 << 20) or []) > 10
