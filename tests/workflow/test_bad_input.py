"""Bad input: one clear sentence, a non-zero exit, and nothing heavy before it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.workflow.workspace import TINY, Outcome, Workspace, merged

pytestmark = pytest.mark.long

SQUARE = [[4.0, 4.0, 20.0, 4.0, 20.0, 20.0, 4.0, 20.0]]
Coco = dict[str, Any]


def _coco() -> Coco:
    """Three images, one object each."""
    images = [
        {"id": number, "file_name": f"{number}.png", "height": 32, "width": 48}
        for number in (1, 2, 3)
    ]
    annotations = [
        {"id": 10 + image["id"], "image_id": image["id"], "category_id": 1, "segmentation": SQUARE}
        for image in images
    ]
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "thing"}],
    }


def _draw_images(workspace: Workspace) -> Path:
    folder = workspace.folder / "photographs"
    folder.mkdir()
    for number in (1, 2, 3):
        Image.fromarray(np.full((32, 48, 3), number, np.uint8)).save(folder / f"{number}.png")
    return folder


def _prepare(workspace: Workspace, coco: Coco, **prepare: str) -> Outcome:
    """Run prepare on three drawn images and these annotations."""
    if not (workspace.folder / "photographs").exists():
        _draw_images(workspace)
    (workspace.folder / "labels.json").write_text(json.dumps(coco))
    split = {"images": "photographs", "annotations": "labels.json"}
    changes = {"dataset": {"source": "files", "train": split}, "prepare": prepare}
    workspace.configure(merged(TINY, changes))
    return workspace.snakemake("--until", "prepare")


def _assert_one_sentence(outcome: Outcome, sentence: str) -> None:
    assert outcome.code != 0
    assert sentence in outcome.text
    assert "Traceback" not in outcome.text


def _outside(coco: Coco) -> None:
    for annotation in coco["annotations"]:
        annotation["point"] = [12, 12]
    coco["annotations"][1]["point"] = [60, 3]


def _unknown_category(coco: Coco) -> None:
    coco["annotations"][1]["category_id"] = 7


def _duplicate(coco: Coco) -> None:
    coco["annotations"][1]["id"] = 11


def _none(coco: Coco) -> None:
    coco["annotations"] = []


def _no_mask(coco: Coco) -> None:
    del coco["annotations"][1]["segmentation"]


def _wrong_size(coco: Coco) -> None:
    coco["images"][1]["width"] = 47


def _outside_folder(coco: Coco) -> None:
    coco["images"][1]["file_name"] = "../labels.json"


def _missing_image(coco: Coco) -> None:
    coco["images"][1]["file_name"] = "4.png"


FAULTS: list[tuple[Callable[[Coco], None], str]] = [
    (_outside, "annotation 12: point (60, 3) is outside its image 2.png of 48 x 32 px"),
    (_unknown_category, "annotation 12 has the unknown category_id 7"),
    (_duplicate, "id 11 is there twice in annotations"),
    (_none, "there are no annotations, so there is nothing to label"),
    (_no_mask, "annotation 12 has no mask to draw a point from"),
    (_wrong_size, "48 x 32 px, but the annotation file says 47 x 32 px"),
    (_outside_folder, "leads outside the image folder"),
    (_missing_image, "4.png: this file is missing"),
]


@pytest.mark.parametrize(("fault", "sentence"), FAULTS, ids=[f.__name__[1:] for f, _ in FAULTS])
def test_a_bad_annotation_file_is_refused(
    fault: Callable[[Coco], None], sentence: str, fresh: Workspace
) -> None:
    coco = _coco()
    fault(coco)
    outcome = _prepare(fresh, coco)
    _assert_one_sentence(outcome, sentence)
    (line,) = [line for line in fresh.log("prepare").splitlines() if sentence in line]
    assert line.startswith("prepare: ")
    assert not (fresh.results() / "prepare" / "images.parquet").exists()


def _with_a_broken_image(workspace: Workspace) -> None:
    folder = _draw_images(workspace)
    (folder / "2.png").write_bytes((folder / "2.png").read_bytes()[:60])


def test_an_undecodable_image_stops_the_run_by_default(fresh: Workspace) -> None:
    _with_a_broken_image(fresh)
    outcome = _prepare(fresh, _coco())
    _assert_one_sentence(outcome, "2.png: cannot be decoded")


def test_an_undecodable_image_can_be_skipped_named_and_counted(fresh: Workspace) -> None:
    _with_a_broken_image(fresh)
    outcome = _prepare(fresh, _coco(), undecodable="skip")
    assert outcome.code == 0, outcome.text
    log = fresh.log("prepare")
    assert "skipped: image" in log
    assert "2.png: cannot be decoded" in log
    assert "2 images, 2 labels of format coco (prepare.labels: point): 2 points." in log
    assert "left out: 1 labels in skipped images." in log
    assert "1 images skipped, since they cannot be read" in outcome.text


CONFIGS: list[tuple[dict[str, Any], str]] = [
    ({"propos": {}}, "config: unknown key propos (did you mean propose?)"),
    ({"shards": 0}, "config: shards: must be at least 1, seen 0"),
    ({"train": {"milestones": [0.9, -3]}}, "config: train.milestones: [0.9, -3.0] must rise from"),
    ({"train": {"iterations": "5"}}, "config: train.iterations: must be a whole number, seen '5'"),
    ({"refine": {"prm": {"bms": {"t_min2": 0.9}}}}, "config: refine.prm.bms: t_min2 0.9 is more"),
    (
        {"export": {"transforms": [{"name": "drop_below", "threshold": 0.9}]}},
        "config: unknown key export.transforms.0.threshold.",
    ),
    ({"select": {"training": {"epochs": 1}}}, "config: select.training is now select.psm.training"),
    ({"variant": "propose"}, "config: variant: 'propose' is a folder that all variants share"),
    (
        {"propose": {"sam": {"checkpoint": "no.pth"}}},
        "config: propose.sam.checkpoint: there is no file no.pth",
    ),
    (
        {"dataset": {"source": "files", "train": {"images": "no", "annotations": "no.json"}}},
        "config: dataset.train.images: there is no folder no.",
    ),
    (
        {"dataset": {"source": "files", "train": {"images": ".", "annotations": "${NO}/a"}}},
        "needs the environment variable NO, which is not set",
    ),
]


@pytest.mark.parametrize(("change", "sentence"), CONFIGS, ids=[s[8:40] for _, s in CONFIGS])
def test_a_bad_config_is_refused_before_any_job(
    change: dict[str, Any], sentence: str, fresh: Workspace
) -> None:
    fresh.configure(merged(TINY, change))
    outcome = fresh.snakemake()
    _assert_one_sentence(outcome, sentence)
    assert not fresh.results().exists()


def test_a_clone_that_is_not_whole_is_refused_in_one_sentence(fresh: Workspace) -> None:
    (fresh.folder / "stages" / "settings" / "judge.py").unlink()
    outcome = fresh.snakemake("-n")
    _assert_one_sentence(outcome, "No module named 'stages.settings.judge'. The Snakefile needs")


def test_a_wrong_checksum_is_refused_before_sam_is_loaded(workspace: Workspace) -> None:
    workspace.configure(merged(TINY, {"propose": {"sam": {"sha256": "0" * 64}}}))
    outcome = workspace.snakemake("results/tiny/propose/shard-0000-of-0002.parquet")
    _assert_one_sentence(outcome, f"but {'0' * 64} is wanted")


def test_a_shipped_weight_file_that_is_gone_is_named(fresh: Workspace) -> None:
    (fresh.folder / "workflow" / "resources" / "vit_tiny.pth").unlink()
    _assert_one_sentence(
        fresh.snakemake("-n"), "there is no file workflow/resources/vit_tiny.pth. Correct the path"
    )


def test_a_damaged_table_is_named(workspace: Workspace) -> None:
    path = workspace.results() / "sapnet" / "refine" / "shard-0000-of-0002.parquet"
    path.write_bytes(path.read_bytes()[:100])
    shutil.rmtree(workspace.results() / "sapnet" / "export")
    outcome = workspace.snakemake("--until", "export")
    _assert_one_sentence(outcome, "not a Parquet file")
