"""The plan of a run: targets, shards, and the notes that it leaves."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.small_config import FILES, VARIANTS, compared, plan


def test_a_run_makes_labels_a_detector_and_scores() -> None:
    labels, model, metrics, page = (
        "results/r/v/export/pseudo_labels.json",
        "results/r/v/train/torchvision/model.pt",
        "results/r/v/evaluate/metrics.json",
        "results/r/v/report",
    )
    assert plan().targets == (labels, model, metrics, page)
    assert plan(train__enabled=False).targets == (labels, metrics, page)


FORMATS: list[tuple[list[str], str, list[str]]] = [  # chosen, ids, folders that are made
    ([], "keep", []),
    (["coco_rle"], "keep", []),  # pseudo_labels.json is that
    (["coco_rle"], "from_one", ["coco_rle"]),
    (["voc", "coco_rle", "voc"], "keep", ["voc"]),
    (["yolo", "labelme"], "from_one", ["yolo", "labelme"]),
]


@pytest.mark.parametrize(("formats", "ids", "folders"), FORMATS, ids=str)
def test_labels_are_written_in_the_chosen_formats(
    formats: list[str], ids: str, folders: list[str]
) -> None:
    labels, *found, metrics, page = plan(
        export__formats=formats, export__category_ids=ids, train__enabled=False
    ).targets
    assert found == [f"results/r/v/export/{name}" for name in folders]
    assert (labels, metrics, page) == plan(train__enabled=False).targets


def test_a_variant_may_be_written_in_other_formats() -> None:
    variants = {**VARIANTS, "v": {"export": {"formats": ["yolo"]}}}
    assert "results/r/v/export/yolo" in plan(variants=variants).targets


def test_drawn_worlds_are_not_watched_and_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "a.json").touch()
    monkeypatch.chdir(tmp_path)
    files = plan(dataset__source="files", dataset__train=FILES)
    assert files.watched
    assert files.prepare.ground.train.format == "coco"
    assert not files.comparison.plain_detector  # nothing is held out to score one
    assert not plan().watched


def test_the_run_of_a_detector_on_the_truth_is_refused() -> None:
    with pytest.raises(ValueError, match="variant: truth learns from the ground truth"):
        plan(variant="truth")


def test_the_homes_of_every_case_are_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    changes: dict[str, Any] = compared("pnpg", "full")  # type: ignore[assignment]
    plan(**changes).note_homes()
    path = Path("results/r/homes.json")
    noted = json.loads(path.read_text())
    assert json.loads(Path("results/r/photographs.json").read_text()) == {
        "train": "results/{home}/partworld/train/images"
    }
    assert noted["r/v"]["propose"] == "r"
    assert noted["r/v"]["refine"] == "r/v"
    assert noted["r/seed-2/full"]["select"] == "r/seed-2/pnpg"
    before = path.stat().st_ino
    plan(**changes).note_homes()
    assert path.stat().st_ino == before
    plan(variant="w", **changes).note_homes()
    assert {"r/v", "r/w"} <= set(json.loads(path.read_text()))
