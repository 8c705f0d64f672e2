"""The benchmark of boxes: what it asks, whom, and what it prints."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.bench_boxes import main, way_of


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """Two images: a filled box of 20 x 10 px, and half a box."""
    images = [{"id": n, "file_name": f"{n}.png", "height": 40, "width": 50} for n in (1, 2)]
    shapes = {1: [5, 5, 25, 5, 25, 15, 5, 15], 2: [10, 10, 30, 10, 10, 30]}
    annotations = [
        {"id": n, "image_id": n, "category_id": 1, "bbox": box, "segmentation": [shapes[n]]}
        for n, box in ((1, [5, 5, 20, 10]), (2, [10, 10, 20, 20]))
    ]
    for n in (1, 2):
        pixels = np.random.default_rng(n).integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{n}.png")
    file = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "it"}]}
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(file))
    return path


def test_a_filled_box_is_measured_by_size(drawn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ways = [
        word
        for how in ("filled", "filled:scale=2", "filled:scale=2,cut")
        for word in ("--ask", how)
    ]
    main([str(drawn), "--images", str(drawn.parent), *ways])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    plain, large, cut = ([float(cell) for cell in row[3:6]] for row in rows if "all" in row)
    assert plain == cut
    assert plain[0] == pytest.approx((1 + 190 / 400) / 2, abs=0.005)
    assert plain[1:] == [0.5, 0.5]
    assert large[0] < 0.5
    assert rows[2][:3] == ["8", "to", "20"]  # 200 of 2000 px, and 190


@pytest.mark.parametrize("how", ["sam", "sam:point", "sam:close_up,scale=1.3,cut", "ellipse"])
def test_every_way_of_asking_gives_a_line(
    how: str, drawn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(drawn), "--images", str(drawn.parent), "--ask", how, "--objects", "1"])
    [row] = [line.split() for line in capsys.readouterr().out.splitlines() if " all " in line]
    assert row[:3] == [how, "all", "1"]
    assert 0 <= float(row[3]) <= 1


def test_words_that_are_no_way_of_asking_are_keys_of_the_segmenter() -> None:
    way = way_of("grabcut:scale=1.5,iterations=2,core=0.25")
    assert way.scale == 1.5
    assert (way.segmenter.settings.iterations, way.segmenter.settings.core) == (2, 0.25)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"unknown key propose\.grabcut\.iteration"):
        way_of("grabcut:iteration=2")
    with pytest.raises(ValueError, match="'snake' is none of sam"):
        way_of("snake:scale=2")
