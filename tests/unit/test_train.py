"""train: killed and resumed it ends with the same bytes; what it learns from, and refuses."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from stages import train
from stages.engines import engine as opening
from stages.engines import step_reader
from stages.engines import torchvision as engine
from tests.rectangles import write_rectangles

SMALL = {
    "short_side": 64,
    "long_side": 64,
    "fpn_channels": 16,
    "rois_per_image": 16,
    "iterations": 5,
    "batch_images": 2,
    "warmup": 0,
    "checkpoint_every": 2,
    "log_every": 1,
    "score_threshold": 0.0,
    "detections_per_image": 5,
}
STOCK = ("model_final.pth", "config.yaml", "metrics.json")
OUTPUTS = ("model.pt", "log.jsonl", "training.json", *STOCK)
FLAGS = ("model", "log", "facts", "stock-weights", "stock-config", "stock-metrics")


def run(
    labels: Path, out: Path, val: Path | None = None, *, words: Sequence[str] = (), **settings: Any
) -> None:
    words = [
        *words,
        f"--image-folder={labels.parent}",
        f"--labels={labels}",
        "--device=cpu",
        "--seed=3",
    ]
    words += [f"--out-{flag}={out / name}" for flag, name in zip(FLAGS, OUTPUTS, strict=True)]
    if val:
        words += [f"--val-image-folder={val.parent}", f"--val-annotations={val}"]
    train.main([*words, "--settings", json.dumps({**SMALL, **settings})])


def losses(out: Path) -> list[float]:
    lines = (out / "log.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return write_rectangles(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    path = write_rectangles(folder)
    run(path, folder / "out")
    return folder / "out"


HOOKS = {
    "mask_weight": "score",
    "multi_mask": {"enabled": True},
    "roi_drop": {"enabled": True, "start": 2, "cls": 1.0},
    "copy_paste": {"enabled": True, "chance": 0.8},
}


def facts(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "training.json").read_text())
    return found


def test_a_training_leaves_its_files_and_counts(
    labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(labels, labels.parent / "out", iterations=1)
    assert "1 images without any left out" in capsys.readouterr().err
    assert sorted(path.name for path in (labels.parent / "out").iterdir()) == sorted(OUTPUTS)


def test_the_model_file_holds_weights_and_classes(undisturbed: Path) -> None:
    saved = torch.load(undisturbed / "model.pt", weights_only=True)
    header = json.loads(saved["header"])
    assert [category["id"] for category in header["categories"]] == [3, 8, 9]
    assert header["settings"]["iterations"] == 5
    assert str(undisturbed.parent) not in saved["header"]
    assert "backbone.body.conv1.weight" in saved["state"]


def test_a_seed_of_the_training_alone_stands_for_that_of_the_run(
    labels: Path, undisturbed: Path
) -> None:
    same, other = (labels.parent / name for name in ("same", "other"))
    run(labels, same, seed=3)  # as the run's
    run(labels, other, seed=4)
    assert losses(same) == losses(undisturbed)
    assert losses(other) != losses(undisturbed)
    header = json.loads(torch.load(other / "model.pt", weights_only=True)["header"])
    assert header["seed"] == 4


@pytest.mark.parametrize("step", [1, 3])
def test_a_killed_training_resumes_to_the_same_bytes(
    labels: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    whole = step_reader.StepReader.__call__

    def killed(self: Any, number: int) -> Any:
        if number == step:
            raise KeyboardInterrupt
        return whole(self, number)

    monkeypatch.setattr(step_reader.StepReader, "__call__", killed)
    out = labels.parent / "out"
    with pytest.raises(KeyboardInterrupt):
        run(labels, out)
    assert not any((out / name).exists() for name in OUTPUTS)
    read = []

    def counted(self: Any, number: int) -> Any:
        read.append(number)
        return whole(self, number)

    monkeypatch.setattr(step_reader.StepReader, "__call__", counted)
    run(labels, out)
    assert read[0] == step - step % 2  # of the last checkpoint
    for name in ("model.pt", *STOCK):
        assert (out / name).read_bytes() == (undisturbed / name).read_bytes(), name
    assert losses(out) == losses(undisturbed)


@pytest.fixture
def weighted(labels: Path) -> Path:
    """Labels with scores and extra masks; one mask is ignored, and of another a third."""
    data = json.loads(labels.read_text())
    for entry in data["annotations"]:
        x, y, w, h = entry["bbox"]
        entry["extra_masks"] = [[[x, y, x + w, y, x + w, y + h / 2, x, y + h / 2]]]
        entry["score"] = 0.5 + entry["id"] / 100
    data["annotations"][0]["mask_weight"] = 0
    x, y, w, h = data["annotations"][1]["bbox"]
    third = [[x, y, x + w / 3, y, x + w / 3, y + h, x, y + h]]
    data["annotations"][1]["ignore_mask"] = third
    labels.write_text(json.dumps(data))
    return labels


def test_with_all_hooks_a_killed_training_resumes_to_the_same_bytes(
    weighted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, cut = weighted.parent / "whole", weighted.parent / "cut"
    run(weighted, whole, **HOOKS)
    assert "1 masks ignored, 1 masks partly ignored (" in capsys.readouterr().err
    stock = step_reader.StepReader.__call__

    def killed(self: Any, number: int) -> Any:
        if number == 3:
            raise KeyboardInterrupt
        return stock(self, number)

    monkeypatch.setattr(step_reader.StepReader, "__call__", killed)
    with pytest.raises(KeyboardInterrupt):
        run(weighted, cut, **HOOKS)
    monkeypatch.undo()
    run(weighted, cut, **HOOKS)
    for name in ("model.pt", "training.json", *STOCK):
        assert (cut / name).read_bytes() == (whole / name).read_bytes(), name
    assert losses(cut) == losses(whole)


ALL_KEYS = {
    "short_side": [48, 64],
    "accumulate": 2,
    "precision": "bfloat16",
    "norm_decay": False,
    "evaluate_every": 2,
    "keep": "best",
}


@pytest.mark.parametrize("step", [3, 4])
def test_with_all_keys_of_its_schedule_a_killed_training_resumes_to_the_same_bytes(
    labels: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    whole, cut = labels.parent / "whole", labels.parent / "cut"
    run(labels, whole, labels, **ALL_KEYS)
    stock = step_reader.StepReader.__call__

    def killed(self: Any, number: int) -> Any:
        if number == step:
            raise KeyboardInterrupt
        return stock(self, number)

    monkeypatch.setattr(step_reader.StepReader, "__call__", killed)
    with pytest.raises(KeyboardInterrupt):
        run(labels, cut, labels, **ALL_KEYS)
    monkeypatch.undo()
    run(labels, cut, labels, **ALL_KEYS)
    for name in ("model.pt", *STOCK):
        assert (cut / name).read_bytes() == (whole / name).read_bytes(), name
    lines = [json.loads(line) for line in (cut / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "val_ap" in line] == [2, 4, 5]
    header = json.loads(torch.load(cut / "model.pt", weights_only=True)["header"])
    best = max(lines, key=lambda line: line.get("val_ap", -1))
    assert header["kept_step"] == best["step"]


def test_parts_of_a_step_change_its_loss_little(labels: Path, undisturbed: Path) -> None:
    run(labels, labels.parent / "out", accumulate=2)
    first, wanted = losses(labels.parent / "out")[0], losses(undisturbed)[0]
    assert first == pytest.approx(wanted, rel=0.1)  # RoIs are drawn in another order
    assert first != wanted


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"evaluate_every": 2}, "train.evaluate_every looks at validation images"),
        ({"keep": "best"}, "train.keep: best needs looks"),
        ({"short_side": [64, 32]}, r"train.short_side: \[64, 32\] must rise"),
        ({"short_side": [16]}, r"train.short_side: must be a whole number of at least 32"),
        ({"short_side": []}, r"train.short_side: must be a whole number of at least 32"),
        ({"short_side": 64.5}, r"train.short_side: must be a whole number of at least 32"),
    ],
)
def test_schedules_that_cannot_be_are_refused(
    labels: Path, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        run(labels, labels.parent / "out", **settings)


def test_the_facts_say_what_the_hooks_did(
    weighted: Path, undisturbed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = facts(undisturbed)
    assert (plain["engine"], plain["images"], plain["annotations"]) == ("torchvision", 4, 8)
    assert (plain["masks_ignored"], plain["dropped"], plain["pasted"]) == (0, None, None)
    assert (plain["steps"], plain["last_loss"]) == (5, losses(undisturbed)[-1])
    assert not {"masks_partly_ignored", "ignored_share"} & set(plain)
    assert plain["packages"]["torchvision"]
    run(weighted, weighted.parent / "out", **HOOKS)
    found = facts(weighted.parent / "out")
    lines = (weighted.parent / "out" / "log.jsonl").read_text().splitlines()
    steps = [json.loads(line) for line in lines]
    assert (found["masks_ignored"], found["masks_partly_ignored"]) == (1, 1)
    assert found["ignored_share"] == pytest.approx(1 / 3, abs=0.05)
    assert [step["dropped"] for step in steps[:2]] == [0, 0]  # before the start
    assert found["dropped"] == pytest.approx(sum(step["dropped"] for step in steps[2:]) / 3)
    assert found["pasted"] == sum(step["pasted"] for step in steps) / 10 > 0
    assert all(step["loss_mask_extra"] > 0 for step in steps)
    text = capsys.readouterr().err
    assert f"{found['dropped']:.1%} of the RoIs dropped" in text
    assert "warning: RoI drop leaves out" in text


def test_killed_behind_its_last_step_it_does_not_train_again(
    labels: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*args: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(train, "write_stock", killed)
        with pytest.raises(KeyboardInterrupt):
            run(labels, labels.parent / "out")
    monkeypatch.setattr(engine, "train", None)  # training again would fail
    run(labels, labels.parent / "out")
    for name in ("model.pt", *STOCK):
        assert (labels.parent / "out" / name).read_bytes() == (undisturbed / name).read_bytes()


def test_other_settings_do_not_resume_from_a_stranger_s_checkpoint(
    labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = step_reader.StepReader.__call__
    out, read = labels.parent / "out", []

    def watched(self: Any, number: int) -> Any:
        read.append(number)
        if number == 3 and self.settings.lr == 0.001:
            raise KeyboardInterrupt
        return whole(self, number)

    monkeypatch.setattr(step_reader.StepReader, "__call__", watched)
    with pytest.raises(KeyboardInterrupt):
        run(labels, out)
    run(labels, out, lr=0.002)
    assert read == [0, 1, 2, 3, 0, 1, 2, 3, 4]


def test_reading_ahead_in_other_processes_changes_nothing(labels: Path, undisturbed: Path) -> None:
    run(labels, labels.parent / "out", workers=2)
    assert losses(labels.parent / "out") == losses(undisturbed)


def test_a_split_that_nobody_looks_at_is_not_read(labels: Path, undisturbed: Path) -> None:
    run(labels, labels.parent / "out", labels.parent / "none.json")
    model = (labels.parent / "out" / "model.pt").read_bytes()
    assert model == (undisturbed / "model.pt").read_bytes()


SPLIT = 0  # a seed with images of labels in both halves


def test_two_halves_share_the_images_and_say_which_is_theirs(
    labels: Path, undisturbed: Path
) -> None:
    outs = [labels.parent / f"half-{half}" for half in (1, 2)]
    for half, out in enumerate(outs, start=1):
        run(labels, out, words=[f"--half={half}"], iterations=1, seed=SPLIT)
        header = json.loads(torch.load(out / "model.pt", weights_only=True)["header"])
        assert (header["half"], header["seed"]) == (half, SPLIT)
    whole = facts(undisturbed)
    for key in ("images", "annotations"):
        counts = [facts(out)[key] for out in outs]
        assert sum(counts) == whole[key]
        assert min(counts) > 0
    header = json.loads(torch.load(undisturbed / "model.pt", weights_only=True)["header"])
    assert "half" not in header


def test_a_loss_that_is_not_finite_stops_and_names_the_images(labels: Path) -> None:
    with pytest.raises(ValueError, match=r"the loss is (nan|inf).*look at the images \[\d"):
        run(labels, labels.parent / "out", lr=1e20, clip_norm=1e20)


def test_classes_that_differ_from_the_validation_file_are_refused(labels: Path) -> None:
    data = json.loads(labels.read_text())
    data["categories"][1]["name"] = "blue"
    other = labels.parent / "val.json"
    other.write_text(json.dumps(data))
    with pytest.raises(ValueError, match="class 8 is 'blue' here, but 'green' in the labels"):
        run(labels, labels.parent / "out", other, evaluate_every=2)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"file_name": "none.png"}, "this file is missing"),
        ({"height": 60}, "64 x 64 px, but the annotation file says 64 x 60 px"),
    ],
    ids=["missing", "size"],
)
def test_validation_images_are_looked_at_before_the_training(
    labels: Path, change: dict[str, Any], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    split = json.loads(labels.read_text())
    split["images"][-1] |= change
    val = labels.parent / "val.json"
    val.write_text(json.dumps(split))
    with pytest.raises(ValueError, match=sentence):
        run(labels, labels.parent / "out", val, evaluate_every=2)
    assert "steps" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"norm": "frozen_batch"}, "train.norm"),
        ({"short_side": 128}, "train: short_side 128 is more"),
        ({"weights": "no.pth", "norm": "frozen_batch"}, "no.pth"),
        ({"iteration": 3}, "unknown key train.iteration"),
        ({"roi_drop": {"enabled": True}}, "train.roi_drop.start is missing"),
        ({"roi_drop": {"enabled": True, "start": 5}}, "start 5 is not before the end"),
    ],
)
def test_wrong_settings_are_refused_before_any_work(
    labels: Path, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        run(labels, labels.parent / "out", **settings)


def test_copy_paste_without_anything_to_paste_is_refused(weighted: Path) -> None:
    paste = {"enabled": True, "min_score": 0.9}
    with pytest.raises(ValueError, match=r"score of at least train.copy_paste.min_score 0.9"):
        run(weighted, weighted.parent / "out", copy_paste=paste)


def test_an_engine_that_is_not_installed_is_refused_with_advice(
    labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "is_importable", lambda name: name == "torchvision")
    with pytest.raises(ValueError, match="detectron2 is not installed"):
        run(labels, labels.parent / "out", engine="detectron2")


@pytest.mark.coco_tiny
def test_real_photographs_with_polygons_and_crowds_are_trained_on(tmp_path: Path) -> None:
    data = Path(os.environ["COCO_TINY"])
    labels = data / "annotations" / "instances_train2017.json"
    words = [f"--image-folder={data / 'train2017'}", f"--labels={labels}", "--device=cpu"]
    words += [f"--out-{f}={tmp_path / name}" for f, name in zip(FLAGS, OUTPUTS, strict=True)]
    train.main([*words, "--settings", json.dumps({**SMALL, "iterations": 2})])
    assert losses(tmp_path)
