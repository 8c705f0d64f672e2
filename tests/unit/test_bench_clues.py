"""The bench of clues: numbers of a tiny model, and of one whose answers are known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.bench_clues import average_precision, main
from stages import fit_prompt
from stages.partworld.dataset import main as draw
from tests.tagged import CONV, VIT, flags, tagged
from tests.world import World

APS = [([1, 1], 1.0), ([1, 0, 0], 1.0), ([0, 0, 1], 1 / 3), ([0, 1, 1], (1 / 2 + 2 / 3) / 2)]


@pytest.mark.parametrize(("falling", "wanted"), APS, ids=str)
def test_average_precision(falling: list[int], wanted: float) -> None:
    scores = np.arange(len(falling), 0, -1.0)
    assert average_precision(scores, np.array(falling, bool)) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("settings", "maps"),
    [(CONV, ["coarse"]), (VIT, ["coarse", "fine", "cross"])],
    ids=["conv", "vit"],
)
def test_each_map_has_its_numbers(
    small_world: World,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    settings: dict[str, Any],
    maps: list[str],
) -> None:
    world = tagged(small_world, tmp_path / "world")
    out = {"out": tmp_path / "model.pt", "out_log": tmp_path / "log.jsonl"}
    fit_prompt.main(flags(world, settings=settings, **out))
    draw(["--out", str(tmp_path / "val"), "--split", "val", "--images", "2"])
    capsys.readouterr()
    propose = json.dumps({"sam": world.sam})
    source = json.dumps({"maps": maps, "scales": [1.0]})
    more = ["--propose-settings", propose, "--source", source]
    main([str(out["out"]), str(tmp_path / "val"), *more])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    numbers = {
        tuple(line[:-1]): float(line[-1]) for line in lines if line[0] in ("tag", "pointing")
    }
    assert set(numbers) == {("tag", "mAP"), *(("pointing", name) for name in maps)}
    assert all(0 <= value <= 1 for value in numbers.values())
    assert [line[1] for line in lines if line[0] == "peaks"] == maps
