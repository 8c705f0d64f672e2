"""Training a grader: from tables of grades and of objects to a file, and what it is worth."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.grading.grader_file import read_graders
from stages.grading.train_grader import FEWEST, main
from stages.tables.grades import GRADES
from stages.tables.judged_objects import JUDGED_OBJECTS
from tests.sound_rows import grade_row, judged_object_row, write_rows, write_shards


def case(folder: Path, count: int, seed: int = 0, **changes: Any) -> list[str]:
    """Labels whose mask IoU is their `agreement`, within a tenth; the paths of the two tables."""
    rng = np.random.default_rng(seed)
    grades, objects = [], []
    for number in range(count):
        agreement = float(rng.random())
        iou = float(np.clip(agreement + rng.uniform(-0.1, 0.1), 0, 1))
        evidence = {"agreement": agreement, "predicted_iou": float(rng.random())}
        grades.append(grade_row(1 + number // 9, number, **{**evidence, **changes}))
        objects.append(judged_object_row(1 + number // 9, number, mask_iou=iou))
    write_shards(folder / "grade", "shard", GRADES, grades, 2)
    write_rows(folder / "objects.parquet", JUDGED_OBJECTS, objects)
    return [str(folder / "grade"), str(folder / "objects.parquet")]


def test_what_decides_is_learnt_and_measured_on_another_world(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit, test = case(tmp_path / "a", 400), case(tmp_path / "b", 300, seed=1)
    out = tmp_path / "grader.json"
    main(["--fit", *fit, "--test", *test, "--out", str(out), "--about", '{"worlds": 1}'])
    curve = read_graders(out)["point"].mask_quality.curves["agreement"]
    assert (np.diff(curve.values) > 0).all()
    lines = [line for line in capsys.readouterr().out.splitlines() if " point " in line]
    told = {cells[3].strip(): cells[4:-1] for cells in (line.split("|") for line in lines)}
    assert list(told) == ["score", "mask_quality", "predicted_iou"]
    count, iou_error, _, auroc, spearman = (float(cell) for cell in told["mask_quality"])
    assert count == 300
    assert iou_error < 0.05
    assert auroc > 0.95
    assert spearman > 0.9
    assert float(told["predicted_iou"][3]) < 0.65  # chance, as it was drawn


def test_the_same_tables_give_the_same_bytes(tmp_path: Path) -> None:
    fit = case(tmp_path / "a", 200)
    texts = []
    for name in ("1.json", "2.json"):
        main(["--fit", *fit, "--out", str(tmp_path / name)])
        texts.append((tmp_path / name).read_bytes())
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("count", "changes", "words"),
    [
        (FEWEST - 1, {}, "99 labels, fewer than 100 of each kind"),
        (FEWEST, {"kind": "mask"}, "none of its objects has a label"),
    ],
    ids=["too few", "given masks alone"],
)
def test_too_little_to_learn_from_is_refused(
    tmp_path: Path, count: int, changes: dict[str, Any], words: str
) -> None:
    fit = case(tmp_path / "a", count, **changes)
    with pytest.raises(ValueError, match=words):
        main(["--fit", *fit, "--out", str(tmp_path / "grader.json")])
    assert not (tmp_path / "grader.json").exists()


def test_a_folder_without_tables_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no shards of table grades"):
        main(["--fit", str(tmp_path), str(tmp_path / "o.parquet"), "--out", str(tmp_path / "g")])
