"""The benchmark of propose runs, and finds the loop's masks again."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.bench_propose import main


def test_both_ways_are_timed_and_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    for number in (1, 2):
        pixels = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    size = {"height": 60, "width": 80}
    images = [{"id": number, "file_name": f"{number}.png", **size} for number in (1, 2)]
    objects = [{"image_id": 1, "bbox": [10, 10, 20, 20]}, {"image_id": 2, "bbox": [5, 5, 60, 40]}]
    (tmp_path / "a.json").write_text(json.dumps({"images": images, "annotations": objects}))
    where = ["--images", str(tmp_path), "--annotations", str(tmp_path / "a.json")]
    main([*where, "--rounds", "1"])
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("2 photographs, ")
    share, least = first.split(" masks, ")[1].split("% with the same RLE, least IoU ")
    assert float(share) >= 75  # of some twenty masks; single decodes round otherwise than batches
    assert float(least) > 0.99
    names = [line.split("  ")[0].strip() for line in lines[1:5]]
    assert names == ["propose", "propose, uncleaned", "loop", "loop, cleaned"]
    assert len([line for line in lines[5:] if " x as fast as loop" in line]) == 2
