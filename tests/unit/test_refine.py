"""refine: a mask of SAM for each instance, the same from one shard or two."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from stages.tables.refinements import REFINEMENTS

from stages import refine
from stages.geometry.boxes import box_iou
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.table import (
    boxes_of,
    read_header,
    read_table,
    read_tables,
    table_of,
    write_table,
)
from stages.tables.weak_labels import WEAK_LABELS

FEATURES = {"channels": 16, "hidden": 32, "roi_size": 3}
TRAINING = {"epochs": 3, "batch_images": 2, "warmup": 2, "checkpoint_every": 2}
PAPER = {"vote": {"enabled": False}, "zoom": {"enabled": False}}  # the mask is a proposal
Rows = list[dict[str, Any]]


def refined(
    run: Any,
    out: Path,
    *,
    shard: str = "0000-of-0002",
    select_settings: dict[str, Any] | None = None,
    chunk: int = 256,
    **settings: Any,
) -> Rows:
    texts = {
        "settings": json.dumps(
            {**PAPER, "chunk": chunk, "prm": {"training": TRAINING, **settings}}
        ),
        "select_settings": json.dumps({"psm": {"features": FEATURES, **(select_settings or {})}}),
    }
    flags = {"model": run.folder / "refine.pt", "out": out, "shard": shard, **texts}
    words = run.world.flags(shards=(0,), **flags)
    refine.main([*words, "--selections", str(run.selections[0])])
    return read_table(out, REFINEMENTS).to_pylist()


def bags_of(world: Any) -> dict[int, Rows]:
    found: dict[int, Rows] = {}
    for row in read_table(world.folder / "proposals-0.parquet", PROPOSALS).to_pylist():
        found.setdefault(row["instance_id"], []).append(row)
    return found


def test_each_instance_gets_one_mask_of_its_bag(small_run: Any, tmp_path: Path) -> None:
    rows, bags = refined(small_run, tmp_path / "out.parquet"), bags_of(small_run.world)
    assert [row["instance_id"] for row in rows] == list(bags)
    for row in rows:
        bag = bags[row["instance_id"]]
        assert row["rle"] == bag[row["proposal_id"]]["rle"]
        others = [item["rle"] for item in bag if item["proposal_id"] != row["proposal_id"]]
        assert len(row["extra_rles"]) == 3
        assert set(row["extra_rles"]) <= set(others)


def test_the_masks_are_those_closest_to_the_boxes(small_run: Any, tmp_path: Path) -> None:
    rows, bags = refined(small_run, tmp_path / "out.parquet"), bags_of(small_run.world)
    for row in rows:
        bag = np.array([item["box"] for item in bags[row["instance_id"]]])
        for box, chosen in (("box_prm", "proposal_id"), ("box_select", "proposal_id_select")):
            iou = box_iou(np.array([row[box]]), bag)[0]
            assert iou[row[chosen]] == pytest.approx(iou.max(), abs=1e-5)


def test_box_psm_is_what_select_chose(small_run: Any, tmp_path: Path) -> None:
    rows, bags = refined(small_run, tmp_path / "out.parquet"), bags_of(small_run.world)
    table = read_table(small_run.selections[0], SELECTIONS)
    chosen = table.filter(table.column("selected")).to_pylist()
    for row, choice in zip(rows, chosen, strict=True):
        box = bags[row["instance_id"]][choice["proposal_id"]]["box"]
        assert row["box_psm"] == pytest.approx(box, abs=1e-3)
        assert row["bag_score"] == choice["bag_score"]


def test_without_bms_the_selected_box_stays(small_run: Any, tmp_path: Path) -> None:
    for row in refined(small_run, tmp_path / "out.parquet", bms={"mode": "none"}):
        assert row["box_prm"] == row["box_select"]
        assert row["bms_rule"] == "none"
        assert row["proposal_id"] == row["proposal_id_select"]


def test_bms_moves_some_boxes_and_says_by_which_rule(small_run: Any, tmp_path: Path) -> None:
    rows = refined(small_run, tmp_path / "out.parquet", bms={"k": 12})
    for row in rows:
        moved = row["box_prm"] != row["box_select"]
        assert moved == (row["bms_rule"] != "none")
    assert {row["bms_rule"] for row in rows} > {"none"}


def test_without_enlarging_the_box_is_a_proposal(small_run: Any, tmp_path: Path) -> None:
    bags = bags_of(small_run.world)
    for row in refined(small_run, tmp_path / "out.parquet", ppg={"enabled": False}):
        boxes = np.array([item["box"] for item in bags[row["instance_id"]]])
        assert np.abs(boxes - row["box_select"]).max(axis=1).min() < 1e-3


@pytest.mark.parametrize("score", ["softmax", "sigmoid"])
@pytest.mark.parametrize("mode", ["paper", "code"])
def test_every_reading_stays_inside_the_image(
    small_run: Any, tmp_path: Path, mode: str, score: str
) -> None:
    rows = refined(
        small_run, tmp_path / "out.parquet", bms={"mode": mode}, score=score, quality_exponent=1
    )
    boxes = np.array([row["box_prm"] for row in rows])
    assert boxes.min() >= 0
    assert boxes.max() <= 256


def test_a_strong_penalty_avoids_boxes_with_neighbours(small_run: Any, tmp_path: Path) -> None:
    pdg = {"pdg": {"min_distance": 1.0}}
    free = refined(small_run, tmp_path / "free.parquet", pdg_exponent=0, select_settings=pdg)
    held = refined(small_run, tmp_path / "held.parquet", pdg_exponent=50, select_settings=pdg)
    labels = read_table(small_run.world.folder / "weak_labels.parquet", WEAK_LABELS).to_pylist()

    def swallowed(rows: Rows) -> int:
        return sum(neighbours_inside(row, labels) for row in rows)

    assert swallowed(held) < swallowed(free)


def neighbours_inside(row: dict[str, Any], labels: Rows) -> int:
    own = next(label for label in labels if label["instance_id"] == row["instance_id"])
    x0, y0, x1, y1 = row["box_select"]
    return sum(
        x0 < other["x"] < x1 and y0 < other["y"] < y1
        for other in labels
        if other["image_id"] == own["image_id"]
        and other["category_id"] == own["category_id"]
        and other["instance_id"] != own["instance_id"]
    )


def test_one_shard_gives_the_rows_of_two(small_run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "world"
    shutil.copytree(small_run.world.folder, folder)
    images = read_table(folder / "images.parquet", IMAGES)
    rows = {name: images.column(name).to_pylist() for name in images.column_names}
    whole = table_of(IMAGES, {**rows, "shard": [0] * len(images)})
    write_table(folder / "images.parquet", whole, IMAGES, {})
    for record, paths in (
        (PROPOSALS, [folder / f"proposals-{i}.parquet" for i in (0, 1)]),
        (SELECTIONS, small_run.selections),
    ):
        write_table(tmp_path / f"{record.name}.parquet", read_tables(paths, record), record, {})
    flags = type(small_run.world)(folder, small_run.world.sam, {}).flags(
        model=small_run.folder / "refine.pt",
        out=tmp_path / "one.parquet",
        shard="0000-of-0001",
        settings=json.dumps({"prm": {"npg": {"background": 20}, "training": TRAINING}, **PAPER}),
        select_settings=json.dumps({"psm": {"features": FEATURES}}),
    )
    flags = [*flags[: flags.index("--proposals")], "--proposals"]
    flags += [str(tmp_path / "proposals.parquet")]
    refine.main([*flags, "--selections", str(tmp_path / "selections.parquet")])
    seen = read_table(tmp_path / "one.parquet", REFINEMENTS)
    assert seen.equals(read_tables(small_run.refinements, REFINEMENTS))


def test_killed_shard_ends_with_the_same_bytes(
    small_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refined(small_run, tmp_path / "whole.parquet", chunk=1)
    call = refine.ImageRefiner.__call__
    asked: list[int] = []

    def cut(self: Any, image_id: int) -> pa.Table:
        asked.append(image_id)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return call(self, image_id)

    monkeypatch.setattr(refine.ImageRefiner, "__call__", cut)
    with pytest.raises(KeyboardInterrupt):
        refined(small_run, tmp_path / "cut.parquet", chunk=1)
    refined(small_run, tmp_path / "cut.parquet", chunk=1)
    assert asked == [1, 3, 3, 5]
    assert (tmp_path / "cut.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def changed_run(run: Any, folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """The run with other proposals in its first shard."""
    shutil.copytree(run.world.folder, folder / "world")
    shutil.copytree(run.folder, folder / "run")
    path = folder / "world" / "proposals-0.parquet"
    rows = [change(row) for row in read_table(path, PROPOSALS).to_pylist()]
    write_table(path, pa.Table.from_pylist(rows, PROPOSALS.schema), PROPOSALS, {})
    world = type(run.world)(folder / "world", run.world.sam, run.world.true_masks)
    return type(run)(world, folder / "run")


def test_empty_masks_are_never_chosen_while_there_are_others(
    small_run: Any, tmp_path: Path
) -> None:
    def odd_ones_empty(row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "valid": row["proposal_id"] % 2 == 0, "sam_score": -1.0}

    run = changed_run(small_run, tmp_path, odd_ones_empty)
    for row in refined(run, tmp_path / "out.parquet", quality_exponent=2):
        assert row["proposal_id"] % 2 == 0
        assert row["proposal_id_select"] % 2 == 0


def test_a_bag_of_empty_masks_gives_its_first(small_run: Any, tmp_path: Path) -> None:
    first = min(small_run.world.true_masks)
    run = changed_run(small_run, tmp_path, lambda r: {**r, "valid": r["instance_id"] != first})
    rows = refined(run, tmp_path / "out.parquet")
    assert rows[0]["proposal_id"] == 0
    assert rows[0]["extra_rles"] == []
    assert rows[1]["extra_rles"]


def test_selections_of_other_proposals_are_refused(small_run: Any, tmp_path: Path) -> None:
    other = type(small_run)(small_run.world, tmp_path)
    shutil.copy(small_run.folder / "refine.pt", tmp_path / "refine.pt")
    shutil.copy(small_run.selections[1], tmp_path / "selections-0.parquet")
    with pytest.raises(ValueError, match="not about these proposals"):
        refined(other, tmp_path / "out.parquet")


def test_provenance_names_no_path(small_run: Any) -> None:
    header = read_header(small_run.refinements[0])
    assert header["stage"] == "stages.refine"
    assert "/" not in json.dumps(header["settings"])


def test_boxes_are_boxes(small_run: Any) -> None:
    table = read_tables(small_run.refinements, REFINEMENTS)
    for name in ("box_psm", "box_select", "box_prm"):
        boxes = boxes_of(table, name)
        assert (boxes[:, 2:] > boxes[:, :2]).all()


def test_without_refinement_the_choice_of_select_is_the_label(
    small_run: Any, tmp_path: Path
) -> None:
    words = small_run.world.flags(
        shards=(0,),
        out=tmp_path / "r.parquet",
        shard="0000-of-0002",
        settings=json.dumps({"method": "as_it_is", **PAPER}),
    )
    refine.main([*words, "--selections", str(small_run.selections[0])])
    rows, bags = read_table(tmp_path / "r.parquet", REFINEMENTS), bags_of(small_run.world)
    chosen = {
        row["instance_id"]: row["proposal_id"]
        for row in read_table(small_run.selections[0], SELECTIONS).to_pylist()
        if row["selected"]
    }
    for row in rows.to_pylist():
        picked = bags[row["instance_id"]][chosen[row["instance_id"]]]
        assert row["proposal_id"] == row["proposal_id_select"] == picked["proposal_id"]
        assert row["rle"] == picked["rle"]
        assert row["box_prm"] == row["box_select"] == row["box_psm"] == picked["box"]
        assert row["bms_rule"] == "none"


def test_prm_without_a_model_is_refused(small_run: Any, tmp_path: Path) -> None:
    words = small_run.world.flags(shards=(0,), out=tmp_path / "r.parquet", shard="0000-of-0002")
    with pytest.raises(ValueError, match=r"refine\.method prm needs --model"):
        refine.main([*words, "--selections", str(small_run.selections[0])])
