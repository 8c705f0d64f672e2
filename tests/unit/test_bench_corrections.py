"""What correcting buys, by numbers counted by hand, and the corrections that it writes."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.bench_corrections import SHARES, corrected_means, curves_of, main
from stages.formats.corrections import read_corrections
from stages.tables.judged_objects import JUDGED_OBJECTS
from tests.handed_out import handed_out
from tests.sound_rows import judged_object_row, write_rows
from tests.written_labels import CATEGORIES, IMAGES, MASKS, annotation


def test_what_is_corrected_counts_as_1() -> None:
    means = dict(zip(SHARES, corrected_means(np.array([0.0, 0.2, 0.4, 0.6])).tolist(), strict=True))
    assert means[0.0] == pytest.approx(0.3)
    assert means[0.5] == pytest.approx((2 + 0.4 + 0.6) / 4)
    assert means[1.0] == 1.0


def test_no_order_is_better_than_the_best_and_random_is_a_straight_line() -> None:
    ious = np.random.default_rng(3).random(400)
    curves = curves_of(ious, draws=50)
    assert (curves["best"] >= curves["list"] - 1e-9).all()
    start = ious.mean()
    straight = [start + share * (1 - start) for share in SHARES]
    assert curves["random"] == pytest.approx(straight, abs=0.01)


def test_labels_are_corrected_in_the_order_of_the_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Qualities .9, .2, .5, .7 of objects 11, 12, 13 and 21: 12 and 13 are half of them."""
    labels = handed_out(tmp_path)
    rows = [judged_object_row(4, n) for n in (11, 12, 13)] + [judged_object_row(7, 21)]
    objects = write_rows(tmp_path / "objects.parquet", JUDGED_OBJECTS, rows)
    true = [annotation(n, 4, MASKS[0], category_id=3) for n in (11, 12, 13)]
    values = {"images": IMAGES, "categories": CATEGORIES, "annotations": true}
    (tmp_path / "truth.json").write_text(json.dumps(values))
    words = ["--objects", str(objects), "--out", str(tmp_path / "a.png"), "--share", "0.5"]
    words += ["--truth", str(tmp_path / "truth.json")]
    main([str(labels), *words, "--corrections", str(tmp_path / "c.json")])
    found = read_corrections(tmp_path / "c.json").entries
    assert [entry["instance_id"] for entry in found] == [12, 13]
    assert {entry["status"] for entry in found} == {"corrected"}
    assert "| 50 % | 2 | 75.0 | 75.0 | 75.0 |" in capsys.readouterr().out
    assert (tmp_path / "a.png").is_file()
