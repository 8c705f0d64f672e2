"""The prompts of a shard: labels that count, through one prompter or several."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stages.methods.prompters.labels import Labels
from stages.methods.shard_prompts import ShardPrompts, living_labels
from stages.tables.table import rows_table, write_table
from stages.tables.weak_labels import WEAK_LABELS

IMAGES = {1: {"image_id": 1}, 2: {"image_id": 2}}


def point(image_id: int, label_id: int, **more: Any) -> dict[str, Any]:
    ids = {"image_id": image_id, "label_id": label_id, "instance_id": label_id, "bag_id": label_id}
    return {**ids, "kind": "point", "category_id": 3, "x": 1, "y": 2, "status": "given", **more}


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "weak_labels.parquet"
    write_table(path, rows_table(WEAK_LABELS, rows), WEAK_LABELS, {})
    return path


class Elsewhere:
    """A prompter that makes a point at (5, 5) of each tag."""

    kinds = frozenset({"tag"})

    def prompts(self, image: dict[str, Any], labels: pa.Table) -> pa.Table:
        tags = [row for row in labels.to_pylist() if row["kind"] == "tag"]
        points = [{**row, "kind": "point", "x": 5.0, "y": 5.0} for row in tags]
        return Labels(together=False).prompts(image, rows_table(WEAK_LABELS, points))


TAG = {"kind": "tag", "instance_id": None, "x": None, "y": None}


def test_an_image_without_labels_has_no_prompts(tmp_path: Path) -> None:
    labels, deleted = living_labels(written(tmp_path), [Labels(together=False)])
    assert len(ShardPrompts(IMAGES, labels, [Labels(together=False)]).of(1)) == len(deleted) == 0


def test_deleted_labels_are_told_apart(tmp_path: Path) -> None:
    path = written(tmp_path, point(1, 1), point(1, 2, status="deleted"), point(2, 3))
    labels, deleted = living_labels(path, [Labels(together=False)])
    assert labels.column("label_id").to_pylist() == [1, 3]
    assert deleted.column("label_id").to_pylist() == [2]
    prompts = ShardPrompts(IMAGES, labels, [Labels(together=False)])
    assert prompts.of(2).column("bag_id").to_pylist() == [3]


def test_a_kind_that_nobody_serves_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, point(1, 1), point(2, 8, bag_id=-1, **TAG))
    with pytest.raises(ValueError, match="image 2, label 8: a tag of class 3"):
        living_labels(path, [Labels(together=False)])
    labels, _ = living_labels(path, [Labels(together=False), Elsewhere()])
    assert len(labels) == 2


def test_prompts_of_a_later_prompter_count_on_in_their_bag(tmp_path: Path) -> None:
    rows = point(1, 4), point(1, 6), point(1, 7, bag_id=4, **TAG), point(1, 8, bag_id=2, **TAG)
    prompters = [Labels(together=False), Elsewhere()]
    labels, _ = living_labels(written(tmp_path, *rows), prompters)
    seen = ShardPrompts(IMAGES, labels, prompters).of(1).to_pylist()
    ids = [(row["bag_id"], row["prompt_id"], row["points"][0][0]) for row in seen]
    assert ids == [(2, 0, 5.0), (4, 0, 1.0), (4, 1, 5.0), (6, 0, 1.0)]
