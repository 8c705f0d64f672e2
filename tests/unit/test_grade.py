"""grade: a shard of tables to table `grades`, by the shipped model or as the methods say."""

import json
from pathlib import Path

import numpy as np
import pytest

from stages import grade
from stages.tables.grades import GRADES
from stages.tables.headers import read_header
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.selections import SELECTIONS
from stages.tables.table import read_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.sound_rows import (
    image_row,
    label_row,
    proposal_row,
    pseudo_label_row,
    selection_row,
    write_rows,
    write_shards,
)

SHIPPED = Path(__file__).resolve().parents[2] / "workflow" / "resources" / "grader.json"
KEYS = [(1, 3), (2, 4), (2, 5)]  # image 3 has no labels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three images in two shards, with an object in the first and two in the second."""
    images = [image_row(number, shard=number % 2) for number in (1, 2, 3)]
    write_rows(tmp_path / "images.parquet", IMAGES, images)
    write_rows(tmp_path / "weak_labels.parquet", WEAK_LABELS, [label_row(*key) for key in KEYS])
    bags = [proposal_row(*key, k) for key in KEYS for k in (0, 1)]
    scores = [selection_row(*key, k, selected=k == 0) for key in KEYS for k in (0, 1)]
    made = [pseudo_label_row(*key) for key in KEYS]
    write_shards(tmp_path, "proposals", PROPOSALS, bags, 2)
    write_shards(tmp_path, "selections", SELECTIONS, scores, 2)
    write_shards(tmp_path, "pseudo_labels", PSEUDO_LABELS, made, 2)
    return tmp_path


def run(folder: Path, shard: int = 0, of: int | None = None, **settings: str | int) -> Path:
    """Grade a shard; of : the number of the shard of pseudo-labels, where it is another."""
    name, other = (f"{n:04d}-of-0002" for n in (shard, shard if of is None else of))
    values = {"model": str(SHIPPED), **settings}
    words = [f"--images={folder}/images.parquet", f"--weak-labels={folder}/weak_labels.parquet"]
    words += [f"--{table}={folder}/{table}-{name}.parquet" for table in ("proposals", "selections")]
    words += [f"--pseudo-labels={folder}/pseudo_labels-{other}.parquet"]
    out = folder / f"grades-{name}.parquet"
    grade.main(
        [*words, "--seed=3", f"--shard={name}", f"--out={out}", f"--settings={json.dumps(values)}"]
    )
    return out


def test_each_label_of_the_shard_is_graded(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = read_table(run(folder), GRADES).to_pylist()
    assert [(row["image_id"], row["instance_id"]) for row in rows] == KEYS[1:]
    assert all(0 < row["score"] < 1 and 0 < row["mask_quality"] < 1 for row in rows)
    assert "2 labels graded, expected mask IoU" in capsys.readouterr().err
    rows = read_table(run(folder, 1), GRADES).to_pylist()
    assert [(row["image_id"], row["instance_id"]) for row in rows] == KEYS[:1]


def test_own_takes_over_what_the_methods_say(folder: Path) -> None:
    rows = read_table(run(folder, method="own"), GRADES).to_pylist()
    assert [(row["score"], row["mask_quality"]) for row in rows] == [(0.5, 0.75)] * 2


def test_the_model_is_in_the_header_and_where_it_lies_is_not(folder: Path, tmp_path: Path) -> None:
    shipped = read_header(run(folder))
    assert len(shipped["model_sha256"]) == 64
    assert "model" not in shipped["settings"]
    assert "model_sha256" not in read_header(run(folder, method="own"))


def test_chunks_do_not_change_the_bytes(folder: Path) -> None:
    whole = run(folder).read_bytes()
    header = json.dumps(read_header(folder / "grades-0000-of-0002.parquet")["settings"])
    parts = run(folder, chunk=1)
    again = json.dumps(read_header(parts)["settings"])
    assert header != again  # the setting is told, the rows are the same
    assert read_table(parts, GRADES).equals(read_table(run(folder), GRADES))
    assert whole == run(folder).read_bytes()


def test_labels_of_another_shard_are_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"-0001-of-0002\.parquet: it holds shard 0001-of-0002"):
        run(folder, 0, of=1)


def test_a_model_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"other\.json"):
        run(folder, model="other.json")


def test_additive_needs_a_model(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"grade\.model: null"):
        grade.from_json(grade.Grade, '{"model": null}', "grade")


def test_nothing_to_grade_is_no_fault() -> None:
    assert grade.counted(GRADES.schema.empty_table()).startswith("0 labels graded")
    assert np.isfinite(grade.DOUBTFUL)
