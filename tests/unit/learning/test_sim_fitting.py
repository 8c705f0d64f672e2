"""SIM's teacher learns from boxes alone, resumes to the same bytes, and refuses what is short."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from stages.learning.model_file import load_model
from stages.learning.sim_fitting import Averaged, TeacherLearner, facts_of_fit, trained
from stages.runtime.provenance import sha256_of
from stages.segmenters.segmenter import Asked
from stages.segmenters.sim_teacher import opened_segmenter
from tests.crop_set import CropSet, build_crop_set, log_of
from tests.teacher_set import args_of, propose, save, settings_of, started, write_former


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> CropSet:
    return build_crop_set(tmp_path_factory.mktemp("teacher"), images=8, salient=1)


def fit(
    drawn: CropSet, out: Path, changes: dict[str, Any] | None = None, **more: Any
) -> tuple[bytes, list[dict[str, float]]]:
    trained(args_of(drawn, out, **more), propose(changes), {"stage": "stages.fit_propose"})
    return out.read_bytes(), log_of(out)


def test_model_and_log_are_complete(drawn: CropSet, tmp_path: Path) -> None:
    _, log = fit(drawn, tmp_path / "model.pt")
    assert [line["step"] for line in log] == [1, 2, 3, 4]  # 8 images, 4 of them a step, 2 epochs
    parts = ("class", "box", "centre", "projection", "pairwise", "pseudo", "paste")
    for line in log:
        assert line["loss"] == pytest.approx(sum(line[part] for part in parts), abs=1e-5)
        assert line["images"] == line["objects"] == 4
        assert 0 < line["masks"] <= 32
        assert line["pseudo"] == 0
    assert log[0]["pairwise"] == 0 < log[1]["pairwise"]
    state, header = load_model(tmp_path / "model.pt")
    assert header == {"stage": "stages.fit_propose"}
    assert state["category_ids"].tolist() == [1]
    assert {path.name for path in tmp_path.iterdir()} == {"model.pt", "model.jsonl"}


def test_equal_seeds_give_equal_bytes_and_others_do_not(drawn: CropSet, tmp_path: Path) -> None:
    first, _ = fit(drawn, tmp_path / "first.pt", seed=3)
    assert fit(drawn, tmp_path / "again.pt", seed=3)[0] == first
    assert fit(drawn, tmp_path / "other.pt", seed=4)[0] != first


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("at", [0, 1, 3])
def test_killed_training_ends_with_the_same_bytes(
    drawn: CropSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, optimizer: str
) -> None:
    """The mean of the weights and the ramp of the pairwise loss included."""
    former = write_former(drawn, tmp_path / "former.parquet")
    changes = {"training": {"optimizer": optimizer, "pairwise_warmup": 6}}
    more = {"former": former, "former_model": save(started([1]), tmp_path / "first.pt")}
    wanted, whole = fit(drawn, tmp_path / "whole.pt", changes, **more)
    steps = list[int]()
    monkeypatch.setattr(TeacherLearner, "loss", counted(TeacherLearner.loss, steps, limit=at))
    with pytest.raises(KeyboardInterrupt):
        fit(drawn, tmp_path / "killed.pt", changes, **more)
    assert not (tmp_path / "killed.pt").exists()
    monkeypatch.undo()
    seen, log = fit(drawn, tmp_path / "killed.pt", changes, **more)
    assert seen == wanted
    assert [line["pairwise"] for line in log] == [line["pairwise"] for line in whole]


PASTE = {"paste": {"enabled": True}}


@pytest.mark.parametrize("at", [1, 3])  # before and behind the checkpoint of step 2
def test_killed_training_that_pastes_ends_with_the_same_bytes(
    drawn: CropSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    former = write_former(drawn, tmp_path / "former.parquet")
    changes = {"training": {**PASTE, "sizes": [48, 64]}}
    wanted, whole = fit(drawn, tmp_path / "whole.pt", changes, former=former)
    assert 0 < sum(line["pasted"] for line in whole) < 16
    monkeypatch.setattr(TeacherLearner, "loss", counted(TeacherLearner.loss, [], limit=at))
    with pytest.raises(KeyboardInterrupt):
        fit(drawn, tmp_path / "killed.pt", changes, former=former)
    monkeypatch.undo()
    seen, log = fit(drawn, tmp_path / "killed.pt", changes, former=former)
    assert seen == wanted
    assert [line["paste"] for line in log] == [line["paste"] for line in whole]
    assert max(line["paste"] for line in log) > 0


def test_the_first_round_pastes_nothing_and_says_so_once(
    drawn: CropSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, _ = fit(drawn, tmp_path / "plain.pt")
    assert "pasted" not in capsys.readouterr().err
    changes = {"training": {"paste": {"enabled": True, "probability": 1.0}}}
    seen, log = fit(drawn, tmp_path / "pasted.pt", changes)
    assert seen == plain
    assert [line["pasted"] for line in log] == [0] * 4
    said = "fit_propose: nothing is pasted: there are no trusted masks of a round before."
    assert capsys.readouterr().err.count(said) == 1


def test_the_masks_of_pasted_objects_are_learned(drawn: CropSet, tmp_path: Path) -> None:
    former = write_former(drawn, tmp_path / "former.parquet")
    paste = {"enabled": True, "probability": 1.0}
    changes = {**LEARNING, "epochs": 20, "lambda_pseudo": 0, "lambda_paste": 2.0, "paste": paste}
    _, log = fit(drawn, tmp_path / "model.pt", {"training": changes}, former=former)
    first, last = (np.mean([line["paste"] for line in part]) for part in (log[:4], log[-4:]))
    assert last < 0.7 * first


def counted(loss: Callable[..., Any], steps: list[int], *, limit: int) -> Callable[..., Any]:
    def cut(*args: Any, **kwargs: Any) -> Any:
        if len(steps) == limit:
            raise KeyboardInterrupt
        steps.append(len(steps))
        return loss(*args, **kwargs)

    return cut


def test_the_teacher_is_the_mean_of_the_weights() -> None:
    torch.manual_seed(0)
    pair = Averaged(settings_of(training={"ema": 0.75}), [1])
    start = {key: value.clone() for key, value in pair.teacher.state_dict().items()}
    assert all(torch.equal(pair.student.state_dict()[key], value) for key, value in start.items())
    with torch.no_grad():
        for weight in pair.student.parameters():
            weight.add_(1)
        for buffer in pair.student.buffers():
            buffer.add_(1)
    pair.average()
    pair.average()
    shift = 1 - 0.75**2
    for name, value in pair.teacher.named_parameters():
        assert torch.allclose(value, start[name] + shift, atol=1e-6)
        assert not value.requires_grad
    for name, buffer in pair.teacher.named_buffers():
        assert torch.equal(buffer, start[name] + 1)


LEARNING = {  # gently: a head whose layers have died says the same of every pixel
    "lr": 0.0008,
    "warmup": 10,
    "pairwise_warmup": 20,
    "milestones": [],
    "sizes": 48,
    "positives": 4,
    "ema": 0.8,
}


def test_the_masks_of_the_round_before_are_learned(drawn: CropSet, tmp_path: Path) -> None:
    former = write_former(drawn, tmp_path / "former.parquet")
    changes = {"training": {**LEARNING, "epochs": 30, "lambda_pseudo": 2.0}}
    _, log = fit(drawn, tmp_path / "model.pt", changes, former=former)
    first, last = (np.mean([line["pseudo"] for line in part]) for part in (log[:4], log[-4:]))
    assert last < 0.7 * first


def test_the_masks_of_the_round_before_change_the_teacher(drawn: CropSet, tmp_path: Path) -> None:
    former = write_former(drawn, tmp_path / "former.parquet")
    first, _ = fit(drawn, tmp_path / "one.pt", former=former)
    assert fit(drawn, tmp_path / "two.pt")[0] != first


def test_a_later_round_goes_on_from_the_teacher_before(drawn: CropSet, tmp_path: Path) -> None:
    fit(drawn, tmp_path / "first.pt", {"training": {"epochs": 8}})
    more = {"former": write_former(drawn, tmp_path / "former.parquet")}
    more["former_model"] = tmp_path / "first.pt"
    whole, log = fit(drawn, tmp_path / "next.pt", **more)
    own, own_log = fit(drawn, tmp_path / "own.pt", {"training": {"start": "own"}}, **more)
    _, new_log = fit(drawn, tmp_path / "new.pt", former=more["former"])
    assert own_log[0]["class"] == new_log[0]["class"]  # of new weights
    assert log[0]["class"] < own_log[0]["class"]
    assert whole != own


def test_a_teacher_of_other_classes_is_refused(drawn: CropSet, tmp_path: Path) -> None:
    former = write_former(drawn, tmp_path / "former.parquet")
    other = save(started([1, 7]), tmp_path / "other.pt")
    with pytest.raises(ValueError, match=r"other\.pt: this teacher has classes \[1, 7\], but the"):
        fit(drawn, tmp_path / "model.pt", former=former, former_model=other)


@pytest.mark.long
def test_it_learns_more_than_the_box(tmp_path: Path) -> None:
    """Half of a diamond's box is diamond, so that box as mask has IoU 0.5; no mask is shown."""
    shapes = build_crop_set(tmp_path / "shapes", images=16, salient=1, noise=4)
    changes = {"training": {**LEARNING, "epochs": 45}}
    _, log = fit(shapes, tmp_path / "model.pt", changes)
    assert log[-1]["loss"] < log[0]["loss"] / 2
    assert mean_iou(shapes, tmp_path / "model.pt") > 0.6


def mean_iou(shapes: CropSet, model: Path) -> float:
    segmenter = opened_segmenter(settings_of(size=48), device=torch.device("cpu"), model=model)
    found = []
    for number, truth in shapes.truth.items():
        segmenter.embed(cv2.imread(str(shapes.folder / f"{number}.png"))[:, :, ::-1])
        rows, columns = np.flatnonzero(truth.any(1)), np.flatnonzero(truth.any(0))
        box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)
        (answer,) = segmenter.ask([Asked(None, None, box)], multimask=True)
        mask = answer.masks[0]
        found.append((mask & truth).sum() / (mask | truth).sum())
    return float(np.mean(found))


def test_a_loss_that_is_not_finite_names_what_was_shown(
    drawn: CropSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        TeacherLearner, "loss", lambda self, batch: (torch.tensor(float("nan")), {"images": 4})
    )
    with pytest.raises(ValueError, match=r"the loss is nan.*look at the images \["):
        fit(drawn, tmp_path / "model.pt")


def test_weights_that_the_backbone_starts_from_are_told(tmp_path: Path) -> None:
    assert "model_sha256" not in facts_of_fit(propose())
    (tmp_path / "start.pth").write_bytes(b"weights")
    block = propose({"backbone": "resnet18", "checkpoint": str(tmp_path / "start.pth")})
    assert facts_of_fit(block)["model_sha256"] == sha256_of(tmp_path / "start.pth")
