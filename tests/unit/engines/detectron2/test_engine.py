"""detectron2 behind the interface: it learns, survives kills, and writes down what it found."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.engines.best import Validation
from stages.engines.engine import INSTALL, open_engine
from stages.engines.hooks import DROPPED
from stages.engines.training_labels import Labels
from stages.learning import trainer
from stages.learning.model_file import load_model
from stages.scoring.truth import scoring_truth
from stages.settings.train import CopyPaste, MultiMask, RoiDrop, Train
from tests.rectangles import SIDE, write_rectangles

pytest.importorskip("detectron2", reason=f"detectron2 is not installed; see {INSTALL}")

import detectron2

from stages.engines.detectron2.engine import open_detector, predict, train

CPU = torch.device("cpu")
SMALL: dict[str, Any] = {
    "engine": "detectron2",
    "short_side": 64,
    "long_side": 64,
    "fpn_channels": 64,
    "rois_per_image": 16,
    "batch_images": 2,
    "warmup": 2,
    "iterations": 6,
    "checkpoint_every": 2,
}
HOOKS = {
    "multi_mask": MultiMask(enabled=True),
    "roi_drop": RoiDrop(enabled=True, start=1, cls=1.5),
    "copy_paste": CopyPaste(enabled=True, chance=1.0, share=1.0, min_score=0.0),
}


def run(folder: Path, out: Path, settings: Train) -> list[dict[str, Any]]:
    """Trains on the rectangles in `folder`; returns the log."""
    labels = Labels(write_rectangles(folder), extra_masks=settings.multi_mask.enabled)
    header = {"categories": labels.categories, "what": "a test"}
    out.parent.mkdir(exist_ok=True)
    log = train(settings, labels, out, image_folder=folder, device=CPU, seed=4, header=header)
    assert log.endswith("\n")
    return [json.loads(line) for line in log.splitlines()]


def timeless(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**entry, "images_per_second": 0} for entry in log]


def run_killed(folder: Path, out: Path, settings: Train, *, step: int) -> None:
    """Trains until it is killed inside this step, counted from 0."""
    stock = trainer.trained_step

    def cut(*args: Any, **more: Any) -> dict[str, float]:
        if more["step"] == step:
            raise KeyboardInterrupt
        return stock(*args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "trained_step", cut)
        with pytest.raises(KeyboardInterrupt):
            run(folder, out, settings)


def test_the_door_opens_and_refuses_what_cannot_be_served() -> None:
    assert open_engine(Train(**SMALL)).train is train
    with pytest.raises(ValueError, match=r"train\.fpn_channels is 48"):
        open_engine(Train(**{**SMALL, "fpn_channels": 48}))


def test_the_first_weights_depend_on_the_seed_alone() -> None:
    one, same, other = (
        open_detector(Train(**SMALL), 2, CPU, seed=seed)[0].state_dict() for seed in (0, 0, 1)
    )
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("hooks", "more"),
    [({}, set()), (HOOKS, {"loss_mask_extra", *DROPPED, "pasted"})],
    ids=["no hooks", "all hooks"],
)
def test_the_log_has_the_keys_of_all_engines(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], hooks: Any, more: set[str]
) -> None:
    log = run(tmp_path, tmp_path / "parts" / "model.pt", Train(**SMALL, **hooks, log_every=2))
    parts = {"loss_classifier", "loss_box_reg", "loss_mask", "loss_objectness", "loss_rpn_box_reg"}
    wanted = {"step", "lr", "loss", "images", "images_per_second"} | parts | more
    assert all(set(entry) == wanted for entry in log)
    assert [entry["step"] for entry in log] == list(range(1, 7))
    for entry in log:
        assert entry["loss"] == pytest.approx(
            sum(entry[name] for name in wanted if name.startswith("loss_")), abs=1e-5
        )
    assert "dropped" not in more or log[0]["dropped"] == 0
    written = capfd.readouterr()
    assert written.out == ""
    assert "train: 6/6 steps" in written.err
    assert "detectron2" not in written.err.replace("/detectron2/", "")


KEYS = {
    "short_side": (48, 64),
    "accumulate": 2,
    "precision": "bfloat16",
    "norm_decay": False,
    "optimizer": "sgd",
}


@pytest.mark.parametrize(
    ("at", "keys"),
    [(0, {}), (3, {}), (5, {}), (3, {"optimizer": "sgd"}), (3, KEYS)],
    ids=["first", "third", "last", "sgd", "all keys"],
)
def test_a_killed_training_ends_with_the_same_bytes(
    tmp_path: Path, at: int, keys: dict[str, Any]
) -> None:
    settings = Train(**{**SMALL, **HOOKS, **keys})
    whole, cut = tmp_path / "whole" / "model.pt", tmp_path / "cut" / "model.pt"
    log = run(tmp_path, whole, settings)
    run_killed(tmp_path, cut, settings, step=at)
    assert not cut.exists()
    assert timeless(run(tmp_path, cut, settings)) == timeless(log)
    assert cut.read_bytes() == whole.read_bytes()


def test_reading_ahead_changes_nothing(tmp_path: Path) -> None:
    settings = Train(**{**SMALL, "iterations": 3})
    alone, ahead = tmp_path / "alone" / "model.pt", tmp_path / "ahead" / "model.pt"
    log = run(tmp_path, alone, settings)
    two = settings.model_copy(update={"workers": 1})
    run_killed(tmp_path, ahead, two, step=2)
    assert timeless(run(tmp_path, ahead, two)) == timeless(log)
    state, other = load_model(alone)[0], load_model(ahead)[0]
    assert all(torch.equal(state[name], other[name]) for name in state)


def test_the_best_look_at_validation_images_is_kept(tmp_path: Path) -> None:
    settings = Train(**{**SMALL, "evaluate_every": 2, "keep": "best"})
    labels = Labels(write_rectangles(tmp_path))
    truth = scoring_truth(labels.path)
    (tmp_path / "parts").mkdir()
    log = train(
        settings,
        labels,
        tmp_path / "parts" / "model.pt",
        image_folder=tmp_path,
        device=CPU,
        seed=4,
        header={"categories": labels.categories},
        validation=Validation(truth["images"], tmp_path, truth, 2),
    )
    looks = [line["step"] for line in map(json.loads, log.splitlines()) if "val_ap" in line]
    assert looks == [2, 4, 6]
    assert load_model(tmp_path / "parts" / "model.pt")[1]["kept_step"] in looks


def test_a_loss_that_is_not_finite_is_one_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match=r"step \d: the (loss|gradient) is .*images \["):
        run(tmp_path, tmp_path / "parts" / "model.pt", Train(**{**SMALL, "lr": 1e30}))
    assert "Traceback" not in capfd.readouterr().err


def test_the_loss_falls_by_half_on_four_images_and_objects_are_found(tmp_path: Path) -> None:
    changes = {"rois_per_image": 32, "batch_images": 4, "warmup": 5, "iterations": 50, "lr": 3e-3}
    settings = Train(**{**SMALL, **changes, "checkpoint_every": 100})
    out = tmp_path / "parts" / "model.pt"
    log = run(tmp_path, out, settings)
    first, last = (np.mean([e["loss"] for e in part]) for part in (log[:3], log[-5:]))
    assert last < first / 2
    header = load_model(out)[1]
    assert (header["what"], header["detectron2"]) == ("a test", detectron2.__version__)
    assert str(tmp_path) not in json.dumps(header)
    size = {"height": SIDE, "width": SIDE}
    images = [{"id": number, "file_name": f"{number}.png", **size} for number in (2, 5)]
    found, empty = predict(settings, out, images, image_folder=tmp_path, device=CPU)
    assert {result["image_id"] for result in found} == {2}
    assert {result["category_id"] for result in found} <= {3, 8, 9}
    assert found[0]["score"] > 0.5
    assert found[0]["segmentation"]["size"] == [64, 64]
    assert all(result["image_id"] == 5 for result in empty)
    json.dumps([*found, *empty], allow_nan=False)
