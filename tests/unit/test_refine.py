"""refine: a mask for each object, the same from one shard or two; given masks pass through."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from stages import refine
from stages.geometry.boxes import box_iou
from stages.geometry.masks import masks_to_rles
from stages.methods.refiners import as_it_is, prm
from stages.segmenters.sam import SamSegmenter
from stages.tables.headers import read_header
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.selections import SELECTIONS
from stages.tables.table import read_table, read_tables, write_table
from stages.tables.trail import TRAIL
from stages.tables.weak_labels import WEAK_LABELS
from tests.world import (
    PAPER,
    SHARDS,
    SMALL_REFINE,
    SMALL_SELECT,
    Rows,
    Run,
    World,
    changed,
    mixed_world,
)

Settings = dict[str, Any]
NOTHING = {"method": "as_it_is", **PAPER}  # nothing is asked, nothing is learned


def command(run: Run, folder: Path, settings: Settings, **more: Any) -> list[str]:
    """Command line for the first shard, into `folder`."""
    flags: Settings = {
        "selections": run.selections[0],
        "shard": SHARDS[0],
        "out": folder / "out.parquet",
        "out_trail": folder / "trail.parquet",
        "answers": folder / "answers",
        "settings": json.dumps(settings),
        "select_settings": json.dumps(SMALL_SELECT),
    }
    if settings.get("method", "prm") == "prm":
        flags["model"] = run.folder / "refine.pt"
    return run.world.flags(shards=(0,), **{**flags, **more})


def labelled(run: Run, folder: Path, settings: Settings, **more: Any) -> Rows:
    """Rows of `pseudo_labels` of the first shard, each with its `trail` by name of the step."""
    refine.main(command(run, folder, settings, **more))
    rows: Rows = read_table(folder / "out.parquet", PSEUDO_LABELS).to_pylist()
    steps: dict[int, Settings] = {row["instance_id"]: {} for row in rows}
    for step in read_table(folder / "trail.parquet", TRAIL).to_pylist():
        steps[step["instance_id"]][step["name"]] = step
    return [{**row, "trail": steps[row["instance_id"]]} for row in rows]


def refined(run: Run, folder: Path, *, chunk: int = 256, **of_prm: Any) -> Rows:
    """As `labelled`, by PRM with these keys of its block."""
    block = {**SMALL_REFINE["prm"], **of_prm}
    return labelled(run, folder, {**PAPER, "prm": block, "chunk": chunk})


def bags_of(world: World) -> dict[int, Rows]:
    found: dict[int, Rows] = {}
    for row in read_table(world.folder / "proposals-0.parquet", PROPOSALS).to_pylist():
        found.setdefault(row["bag_id"], []).append(row)
    return found


def choices_of(run: Run) -> dict[int, dict[str, Any]]:
    """Row of table `selections` that was chosen, by bag."""
    rows = read_table(run.selections[0], SELECTIONS).to_pylist()
    return {row["bag_id"]: row for row in rows if row["selected"]}


def test_each_object_gets_one_mask_of_its_bag(small_run: Run, tmp_path: Path) -> None:
    rows, bags = refined(small_run, tmp_path), bags_of(small_run.world)
    assert [row["instance_id"] for row in rows] == list(bags)
    for row in rows:
        bag = bags[row["instance_id"]]
        assert row["rle"] == bag[row["proposal_id"]]["rle"]
        others = [item["rle"] for item in bag if item["proposal_id"] != row["proposal_id"]]
        assert len(row["extra_rles"]) == 3
        assert set(row["extra_rles"]) <= set(others)
        assert row["label_ids"] == [row["instance_id"]]
        assert (row["mask_source"], row["mask_weight"], row["ignore_rle"]) == ("proposal", 1, None)


def test_quality_is_the_segmenter_s_own_estimate_and_score_that_of_the_bag(
    small_run: Run, tmp_path: Path
) -> None:
    bags, choices = bags_of(small_run.world), choices_of(small_run)
    for row in refined(small_run, tmp_path):
        chosen = bags[row["instance_id"]][row["proposal_id"]]
        assert row["mask_quality"] == chosen["predicted_iou"]
        assert row["score"] == choices[row["instance_id"]]["bag_score"]
        assert row["category_id"] == choices[row["instance_id"]]["category_id"]


def test_the_masks_are_those_closest_to_the_boxes(small_run: Run, tmp_path: Path) -> None:
    bags = bags_of(small_run.world)
    for row in refined(small_run, tmp_path):
        bag = np.array([item["box"] for item in bags[row["instance_id"]]])
        for name in ("prm", "prm_bms"):
            step = row["trail"][name]
            iou = box_iou(np.array([step["box"]]), bag)[0]
            assert iou[step["proposal_id"]] == pytest.approx(iou.max(), abs=1e-5)
        assert row["box"] == row["trail"]["prm_bms"]["box"]
        assert row["proposal_id"] == row["trail"]["prm_bms"]["proposal_id"]
        assert not row["box_given"]


def test_the_trail_starts_with_what_select_chose(small_run: Run, tmp_path: Path) -> None:
    bags, choices = bags_of(small_run.world), choices_of(small_run)
    for row in refined(small_run, tmp_path):
        first, choice = row["trail"]["psm"], choices[row["instance_id"]]
        assert list(row["trail"]) == ["psm", "prm", "prm_bms"]
        assert [step["step"] for step in row["trail"].values()] == [0, 1, 2]
        assert first["proposal_id"] == choice["proposal_id"]
        assert first["score"] == choice["score"]
        box = bags[row["instance_id"]][choice["proposal_id"]]["box"]
        assert first["box"] == pytest.approx(box, abs=1e-3)


def test_without_bms_the_selected_box_stays(small_run: Run, tmp_path: Path) -> None:
    for row in refined(small_run, tmp_path, bms={"mode": "none"}):
        prm_step, last = row["trail"]["prm"], row["trail"]["prm_bms"]
        assert last["box"] == prm_step["box"]
        assert last["note"] == "none"
        assert last["proposal_id"] == prm_step["proposal_id"]


def test_bms_moves_some_boxes_and_says_by_which_rule(small_run: Run, tmp_path: Path) -> None:
    rows = refined(small_run, tmp_path, bms={"k": 12})
    notes = [row["trail"]["prm_bms"]["note"] for row in rows]
    for row, note in zip(rows, notes, strict=True):
        moved = row["trail"]["prm_bms"]["box"] != row["trail"]["prm"]["box"]
        assert moved == (note != "none")
    assert set(notes) > {"none"}


def test_without_enlarging_the_box_is_a_proposal(small_run: Run, tmp_path: Path) -> None:
    bags = bags_of(small_run.world)
    for row in refined(small_run, tmp_path, ppg={"enabled": False}):
        boxes = np.array([item["box"] for item in bags[row["instance_id"]]])
        assert np.abs(boxes - row["trail"]["prm"]["box"]).max(axis=1).min() < 1e-3


@pytest.mark.parametrize("score", ["softmax", "sigmoid"])
@pytest.mark.parametrize("mode", ["paper", "code"])
def test_every_reading_stays_inside_the_image(
    small_run: Run, tmp_path: Path, mode: str, score: str
) -> None:
    rows = refined(small_run, tmp_path, bms={"mode": mode}, score=score, quality_exponent=1)
    boxes = np.array([row["box"] for row in rows])
    assert boxes.min() >= 0
    assert boxes.max() <= 256


def test_a_strong_penalty_avoids_boxes_with_neighbours(small_run: Run, tmp_path: Path) -> None:
    free = refined(small_run, tmp_path, pdg_exponent=0)
    held = refined(small_run, tmp_path, pdg_exponent=50)
    labels = read_table(small_run.world.folder / "weak_labels.parquet", WEAK_LABELS).to_pylist()

    def swallowed(rows: Rows) -> int:
        return sum(neighbours_inside(row, labels) for row in rows)

    assert swallowed(held) < swallowed(free)


def neighbours_inside(row: dict[str, Any], labels: Rows) -> int:
    own = next(label for label in labels if label["instance_id"] == row["instance_id"])
    x0, y0, x1, y1 = row["trail"]["prm"]["box"]
    return sum(
        x0 < other["x"] < x1 and y0 < other["y"] < y1
        for other in labels
        if other["image_id"] == own["image_id"]
        and other["category_id"] == own["category_id"]
        and other["instance_id"] != own["instance_id"]
    )


def test_one_shard_gives_the_rows_of_two(small_run: Run, tmp_path: Path) -> None:
    world = changed(
        small_run.world, tmp_path / "world", images=lambda rows: [{**r, "shard": 0} for r in rows]
    )
    proposals = [world.folder / f"proposals-{i}.parquet" for i in (0, 1)]
    write_table(proposals[0], read_tables(proposals, PROPOSALS), PROPOSALS, {})
    whole = tmp_path / "selections.parquet"
    write_table(whole, read_tables(small_run.selections, SELECTIONS), SELECTIONS, {})
    run = Run(world, small_run.folder)
    labelled(run, tmp_path, SMALL_REFINE, selections=whole)
    for name, record, paths in (
        ("out", PSEUDO_LABELS, small_run.pseudo_labels),
        ("trail", TRAIL, small_run.trails),
    ):
        seen = read_table(tmp_path / f"{name}.parquet", record)
        assert seen.equals(read_tables(paths, record))


def test_killed_shard_ends_with_the_same_bytes(
    small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    refined(small_run, whole, chunk=1)
    labels = prm.Prm.labels
    asked: list[int] = []

    def killed(self: Any, image: Any, *rows: pa.Table) -> Any:
        asked.append(image["image_id"])
        if len(asked) == 2:
            raise KeyboardInterrupt
        return labels(self, image, *rows)

    monkeypatch.setattr(prm.Prm, "labels", killed)
    with pytest.raises(KeyboardInterrupt):
        refined(small_run, cut, chunk=1)
    refined(small_run, cut, chunk=1)
    assert asked == [1, 3, 3, 5]
    for name in ("out.parquet", "trail.parquet"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes()
    assert {path.name for path in cut.iterdir()} == {"out.parquet", "trail.parquet"}


def with_proposals(run: Run, folder: Path, change: Callable[[Settings], Settings]) -> Run:
    """The run with other proposals in its first shard."""
    world = changed(run.world, folder, proposals_0=lambda rows: [change(row) for row in rows])
    return Run(world, run.folder)


def test_empty_masks_are_never_chosen_while_there_are_others(
    small_run: Run, tmp_path: Path
) -> None:
    def odd_ones_empty(row: Settings) -> Settings:
        return {**row, "valid": row["proposal_id"] % 2 == 0, "predicted_iou": -1.0}

    run = with_proposals(small_run, tmp_path / "world", odd_ones_empty)
    for row in refined(run, tmp_path, quality_exponent=2):
        assert row["proposal_id"] % 2 == 0
        assert row["trail"]["prm"]["proposal_id"] % 2 == 0
        assert row["mask_quality"] == 0  # cut to 0..1


def test_a_bag_of_empty_masks_gives_its_first(small_run: Run, tmp_path: Path) -> None:
    first = min(small_run.world.true_masks)

    def empty(row: Settings) -> Settings:
        return {**row, "valid": row["bag_id"] != first}

    rows = refined(with_proposals(small_run, tmp_path / "world", empty), tmp_path)
    assert rows[0]["proposal_id"] == 0
    assert rows[0]["extra_rles"] == []
    assert rows[1]["extra_rles"]


def test_selections_of_other_proposals_are_refused(small_run: Run, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"selections-1\.parquet: it holds shard 0001-of-0002"):
        labelled(small_run, tmp_path, SMALL_REFINE, selections=small_run.selections[1])


def test_selections_that_lack_a_proposal_are_refused(small_run: Run, tmp_path: Path) -> None:
    table = read_table(small_run.selections[0], SELECTIONS)
    write_table(tmp_path / "short.parquet", table.slice(1), SELECTIONS, {})
    with pytest.raises(ValueError, match=r"short\.parquet: 1 proposals are missing"):
        labelled(small_run, tmp_path, NOTHING, selections=tmp_path / "short.parquet")


def test_rows_of_another_shard_are_refused(small_run: Run, tmp_path: Path) -> None:
    world = changed(small_run.world, tmp_path / "world")
    shutil.copy(world.folder / "proposals-1.parquet", world.folder / "proposals-0.parquet")
    with pytest.raises(ValueError, match=r"proposals-0\.parquet: it holds shard 0001-of-0002"):
        labelled(Run(world, small_run.folder), tmp_path, NOTHING)


def test_an_object_without_a_bag_is_refused(small_run: Run, tmp_path: Path) -> None:
    gone = min(small_run.world.true_masks)
    world = changed(
        small_run.world,
        tmp_path / "world",
        proposals_0=lambda rows: [row for row in rows if row["bag_id"] != gone],
    )
    with pytest.raises(ValueError, match=rf"1 bags are missing.*{gone}"):
        labelled(Run(world, small_run.folder), tmp_path, NOTHING)


def test_without_refinement_the_choice_of_select_is_the_label(
    small_run: Run, tmp_path: Path
) -> None:
    bags, choices = bags_of(small_run.world), choices_of(small_run)
    for row in labelled(small_run, tmp_path, NOTHING):
        choice = choices[row["instance_id"]]
        picked = bags[row["instance_id"]][choice["proposal_id"]]
        assert row["proposal_id"] == picked["proposal_id"]
        assert row["rle"] == picked["rle"]
        assert row["box"] == picked["box"]
        for name in ("psm", "prm", "prm_bms"):
            step = row["trail"][name]
            assert (step["box"], step["proposal_id"]) == (picked["box"], picked["proposal_id"])
        assert row["trail"]["prm_bms"]["note"] == "none"
        assert row["trail"]["prm"]["score"] == choice["score"]


def test_prm_without_a_model_is_refused(small_run: Run, tmp_path: Path) -> None:
    words = [*command(small_run, tmp_path, NOTHING), "--settings", json.dumps(PAPER)]
    with pytest.raises(ValueError, match=r"refine\.method prm needs --model"):
        refine.main(words)


def test_the_header_tells_what_the_rows_depend_on(small_run: Run) -> None:
    headers = [read_header(path[1]) for path in (small_run.pseudo_labels, small_run.trails)]
    for header in headers:
        assert header["stage"] == "stages.refine"
        assert header["shard"] == "0001-of-0002"
        assert set(header["settings"]) == {
            *("method", "vote", "zoom", "clean", "mps", "chunk", "prm"),
        }
        assert header["select_settings"]["psm"]["features"]["hidden"] == 32
        assert "/" not in json.dumps([header["settings"], header["select_settings"]])
        assert len(header["fitted"]) == 64
        assert "asked_sha256" not in header
    assert any("refiners.prm" in code for code in headers[0]["code"])
    assert not any("as_it_is" in code or "joint_step" in code for code in headers[0]["code"])


@pytest.fixture(scope="module")
def mixed(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Points, boxes and given masks in one data set, chosen by the network of the small run."""
    folder = tmp_path_factory.mktemp("mixed")
    run = Run(mixed_world(small_run.world, folder / "world"), folder)
    for name in ("select.pt", "refine.pt"):
        shutil.copy(small_run.folder / name, folder / name)
    run.select(SMALL_SELECT)
    return run


def labels_of(run: Run) -> dict[int, dict[str, Any]]:
    """Rows of table `weak_labels` of the first shard, by instance."""
    rows = read_table(run.world.folder / "weak_labels.parquet", WEAK_LABELS).to_pylist()
    return {row["instance_id"]: row for row in rows if row["image_id"] % 2}


@pytest.mark.parametrize("settings", [SMALL_REFINE, NOTHING], ids=["prm", "as it is"])
def test_given_masks_pass_through_byte_for_byte(
    mixed: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    rows, labels = labelled(mixed, tmp_path, settings), labels_of(mixed)
    assert [row["instance_id"] for row in rows] == sorted(labels)
    given = [row for row in rows if labels[row["instance_id"]]["kind"] == "mask"]
    assert f"{len(rows) - len(given)} refined, {len(given)} given" in capsys.readouterr().err
    for row in rows:
        assert (row["mask_source"] == "given") == (row in given)
    for row in given:
        label = labels[row["instance_id"]]
        assert row["rle"] == label["rle"]
        assert (row["box"], row["box_given"]) == (label["box"], False)
        assert (row["score"], row["mask_quality"], row["proposal_id"]) == (1, 1, None)
        assert list(row["trail"]) == ["given"]


@pytest.mark.parametrize("settings", [SMALL_REFINE, NOTHING], ids=["prm", "as it is"])
def test_a_given_box_is_kept_and_its_refined_one_stands_in_the_trail(
    mixed: Run, tmp_path: Path, settings: Settings
) -> None:
    labels = labels_of(mixed)
    kinds = {"box": 0, "point": 0}
    for row in labelled(mixed, tmp_path, settings):
        label = labels[row["instance_id"]]
        if label["kind"] == "mask":
            continue
        kinds[label["kind"]] += 1
        assert row["box_given"] == (label["kind"] == "box")
        wanted = label["box"] if row["box_given"] else row["trail"]["prm_bms"]["box"]
        assert row["box"] == wanted
    assert all(kinds.values())


def with_mask(status: str) -> Callable[[Rows], Rows]:
    """One more label of the first object: a bar as its mask."""

    def change(rows: Rows) -> Rows:
        bar = np.zeros((256, 256), dtype=np.uint8)
        bar[10:20, 30:90] = 1
        [rle] = masks_to_rles(bar[None])
        more = {"label_id": 9_000, "kind": "mask", "rle": rle["counts"], "status": status}
        corrected = {**rows[0], "x": None, "y": None, **more}
        same = [row for row in rows if row["image_id"] == rows[0]["image_id"]]
        return [*same, corrected, *rows[len(same) :]]

    return change


def test_a_corrected_mask_replaces_one_object_and_leaves_the_others(
    small_run: Run, tmp_path: Path
) -> None:
    world = changed(small_run.world, tmp_path / "world", weak_labels=with_mask("corrected"))
    before = labelled(small_run, tmp_path / "before", SMALL_REFINE)
    after = labelled(Run(world, small_run.folder), tmp_path / "after", SMALL_REFINE)
    assert after[1:] == before[1:]
    assert after[0]["mask_source"] == "given"
    assert after[0]["label_ids"] == [before[0]["instance_id"], 9_000]
    assert after[0]["box"] == [30, 10, 90, 20]


def test_a_deleted_label_is_left_out_and_counted(
    small_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = changed(small_run.world, tmp_path / "world", weak_labels=with_mask("deleted"))
    before = labelled(small_run, tmp_path / "before", SMALL_REFINE)
    after = labelled(Run(world, small_run.folder), tmp_path / "after", SMALL_REFINE)
    assert after == before
    assert "0 given, 1 labels deleted" in capsys.readouterr().err


@pytest.mark.parametrize("left", ["nothing", "given masks alone"])
def test_without_bags_nothing_is_opened(
    small_run: Run, mixed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    kinds = {"nothing": (), "given masks alone": ("mask",)}[left]

    def few(rows: Rows) -> Rows:
        return [row for row in rows if row["image_id"] % 2 == 0 or row["kind"] in kinds]

    world = changed(
        mixed.world, tmp_path / "world", weak_labels=few, proposals_0=lambda rows: rows[:0]
    )
    empty = tmp_path / "empty.parquet"
    write_table(empty, read_table(mixed.selections[0], SELECTIONS).slice(0, 0), SELECTIONS, {})
    monkeypatch.setattr(prm, "opened_refiner", lambda *_: pytest.fail("opened"))
    monkeypatch.setattr(refine, "leased", lambda *_: pytest.fail("leased"))
    rows = labelled(Run(world, mixed.folder), tmp_path, SMALL_REFINE, selections=empty)
    assert {row["mask_source"] for row in rows} == ({"given"} if kinds else set())
    header = read_header(tmp_path / "out.parquet")
    assert header["fitted"] == read_header(small_run.pseudo_labels[0])["fitted"]


CLOSE: Settings = {"zoom": {"enabled": True}, "vote": {"enabled": True}}


@pytest.mark.parametrize(
    "settings",
    [{**SMALL_REFINE, **CLOSE}, {"method": "as_it_is", **CLOSE}],
    ids=["prm", "as it is"],
)
def test_the_segmenter_is_asked_once_and_its_answers_are_kept(
    small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    embedded: list[int] = []
    embed = SamSegmenter.embed

    def counted(self: SamSegmenter, pixels: np.ndarray) -> None:
        embedded.append(1)
        embed(self, pixels)

    monkeypatch.setattr(SamSegmenter, "embed", counted)
    first = labelled(small_run, tmp_path, settings)
    assert len(embedded) == 2 * len(first)  # the crop and its mirror image, for each object
    whole = (tmp_path / "out.parquet").read_bytes()
    (tmp_path / "out.parquet").unlink()
    assert labelled(small_run, tmp_path, settings) == first
    assert len(embedded) == 2 * len(first)
    assert (tmp_path / "out.parquet").read_bytes() == whole
    assert {row["mask_source"] for row in first} <= {"zoom", "vote"}
    assert len(read_header(tmp_path / "out.parquet")["asked_sha256"]) == 64
    assert (tmp_path / "answers" / "lists" / "out.txt").read_text().count("\n") == 3


def test_one_more_click_elsewhere_throws_no_part_away(
    small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = as_it_is.AsItIs.labels
    asked: list[int] = []

    def killed(self: Any, image: Any, *rows: pa.Table) -> Any:
        asked.append(image["image_id"])
        if len(asked) == 3:
            raise KeyboardInterrupt
        return labels(self, image, *rows)

    monkeypatch.setattr(as_it_is.AsItIs, "labels", killed)
    with pytest.raises(KeyboardInterrupt):
        labelled(small_run, tmp_path, {**NOTHING, "chunk": 1})

    def clicked(rows: Rows) -> Rows:
        return [{**row, "x": row["x"] + 1.0} if row["image_id"] == 2 else row for row in rows]

    world = changed(small_run.world, tmp_path / "world", weak_labels=clicked)
    labelled(Run(world, small_run.folder), tmp_path, {**NOTHING, "chunk": 1})
    assert asked == [1, 3, 5, 5]
