"""Files of variants and seeds, by variant."""

from pathlib import Path

import pytest

from stages.scoring.case_metrics import by_case, read_metrics

PATHS = [Path(str(number)) for number in range(4)]


def test_files_are_dealt_variant_by_variant() -> None:
    assert by_case([], [], [1], "--a") == {}
    assert by_case(PATHS, ["x", "y"], [3, 4], "--a") == {"x": PATHS[:2], "y": PATHS[2:]}


@pytest.mark.parametrize(
    ("names", "seeds", "sentence"),
    [
        (["x", "x"], [3, 4], "--a: variant x is given twice"),
        (["x", "y"], [3, 3], "--a: seed 3 is given twice"),
        (["x"], [3, 4], "--a: 4 files for 1 variants and 2 seeds. Give 2"),
    ],
)
def test_others_are_refused(names: list[str], seeds: list[int], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        by_case(PATHS, names, seeds, "--a")


def test_what_is_no_metrics_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text('{"counts": 1, "detector": 2}')
    with pytest.raises(ValueError, match="no metrics, label_quality and label_ap missing"):
        read_metrics(path)
