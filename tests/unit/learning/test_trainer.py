"""The trainer: schedule, order, resuming and refusing, on a network of one weight."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stages.learning import schedule, trainer
from stages.settings.training import Training


def settings(**more: Any) -> Training:
    return Training(**{"epochs": 2, "batch_images": 3, "warmup": 0, **more})


@pytest.mark.parametrize(("images", "steps"), [(1, 2), (3, 2), (4, 4), (7, 6)])
def test_steps_cover_every_epoch(images: int, steps: int) -> None:
    assert schedule.steps_of(images, settings()) == steps


def test_every_epoch_sees_each_image_once_in_another_order() -> None:
    plan = settings(flip=0.5)
    ids = list(range(100, 110))
    steps = [trainer.images_of_step(ids, step, plan, seed=1) for step in range(8)]
    epochs = [[key for step in steps[4 * e : 4 * e + 4] for key in step] for e in (0, 1)]
    for epoch in epochs:
        assert sorted(image for image, _ in epoch) == ids
    assert epochs[0] != epochs[1]
    assert {flip for epoch in epochs for _, flip in epoch} == {True, False}


@pytest.mark.parametrize(("flip", "wanted"), [(0.0, {False}), (1.0, {True})])
def test_flip_is_a_chance(flip: float, wanted: set[bool]) -> None:
    keys = trainer.images_of_step(range(3), 0, settings(flip=flip), seed=0)
    assert {flipped for _, flipped in keys} == wanted


def test_order_depends_on_the_seed_alone() -> None:
    first = trainer.images_of_step(range(9), 0, settings(), seed=1)
    assert first == trainer.images_of_step(range(9), 0, settings(), seed=1)
    assert first != trainer.images_of_step(range(9), 0, settings(), seed=2)


def test_learning_rate_warms_up_and_falls_at_milestones() -> None:
    plan = settings(warmup=10, milestones=(0.5, 0.75))
    shares = [schedule.lr_share(step, 100, plan) for step in (0, 5, 10, 49, 50, 74, 75, 99)]
    assert shares == pytest.approx([0.001, 0.5005, 1, 1, 0.1, 0.1, 0.01, 0.01])


def test_optimisers_are_those_of_the_paper() -> None:
    network = nn.Linear(2, 2)
    network.bias.requires_grad_(False)
    sgd = schedule.optimizer_of(network, settings(optimizer="sgd", lr=0.3))
    assert isinstance(sgd, torch.optim.SGD)
    assert sgd.param_groups[0]["momentum"] == 0.9
    assert len(sgd.param_groups[0]["params"]) == 1
    assert isinstance(schedule.optimizer_of(network, settings()), torch.optim.AdamW)
    other = schedule.optimizer_of(network, settings(optimizer="sgd"), momentum=0.5)
    assert other.param_groups[0]["momentum"] == 0.5


class Task:
    """Fits a line to points that depend on the step; counts its steps."""

    def __init__(self, fault: Callable[[int], float | None] = lambda step: None):
        torch.manual_seed(0)
        self.network = nn.Linear(3, 1)
        self.fault, self.steps = fault, list[int]()

    def read(self, step: int) -> tuple[int, Tensor]:
        rng = np.random.default_rng([9, step])
        return step, torch.from_numpy(rng.standard_normal((8, 3), dtype=np.float32))

    def loss(self, batch: tuple[int, Tensor]) -> tuple[Tensor, dict[str, float]]:
        step, x = batch
        self.steps.append(step)
        scale = self.fault(step)
        if scale == float("inf"):
            raise KeyboardInterrupt
        loss = ((self.network(x)[:, 0] - x.sum(dim=1)) ** 2).mean()
        return (loss if scale is None else loss * scale), {"images": 8}

    def fit(self, folder: Path, *, events: Path | None = None, **more: Any) -> str:
        plan = settings(lr=0.05, checkpoint_every=5, **more)
        return trainer.fit(
            self.network,
            self.read,
            self.loss,
            name="test",
            steps=20,
            settings=plan,
            folder=folder,
            optimizer=schedule.optimizer_of(self.network, plan),
            events=events,
        )


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("at", [0, 5, 12, 19])
def test_resumed_training_is_bit_equal(tmp_path: Path, at: int, optimizer: str) -> None:
    whole = Task()
    whole.fit(tmp_path / "whole", optimizer=optimizer)
    cut = Task(lambda step: float("inf") if step == at else None)
    with pytest.raises(KeyboardInterrupt):
        cut.fit(tmp_path / "cut", optimizer=optimizer)
    resumed = Task()
    nn.init.zeros_(resumed.network.weight) if at >= 5 else None  # the checkpoint must win
    log = resumed.fit(tmp_path / "cut", optimizer=optimizer)
    assert resumed.steps == list(range(at // 5 * 5, 20))
    assert torch.equal(resumed.network.weight, whole.network.weight)
    assert [json.loads(line)["step"] for line in log.splitlines()] == list(range(1, 21))


def test_events_hold_the_log_and_change_no_weight(tmp_path: Path) -> None:
    module: Any = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    plain, cut, told = Task(), Task(lambda step: float("inf") if step == 13 else None), Task()
    plain.fit(tmp_path / "plain")
    with pytest.raises(KeyboardInterrupt):
        cut.fit(tmp_path / "told", events=tmp_path / "events")
    log = told.fit(tmp_path / "told", events=tmp_path / "events")
    assert torch.equal(told.network.weight, plain.network.weight)
    reader = module.EventAccumulator(str(tmp_path / "events"))
    reader.Reload()
    lines = [json.loads(line) for line in log.splitlines()]
    found = reader.Scalars("loss")
    assert [one.step for one in found] == [line["step"] for line in lines]
    assert [one.value for one in found] == pytest.approx([line["loss"] for line in lines])


def test_a_half_written_checkpoint_is_not_resumed_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut, resumed = Task(), Task(), Task()
    whole.fit(tmp_path / "whole")
    stock = trainer.write_bytes

    def broken(path: Path, data: bytes) -> None:
        if path.exists():  # the second checkpoint
            (path.parent / f".{path.name}.1.tmp").write_bytes(data[:99])  # as a kill leaves it
            raise KeyboardInterrupt
        stock(path, data)

    monkeypatch.setattr(trainer, "write_bytes", broken)
    with pytest.raises(KeyboardInterrupt):
        cut.fit(tmp_path / "cut")
    monkeypatch.undo()
    resumed.fit(tmp_path / "cut")
    assert resumed.steps == list(range(5, 20))
    assert torch.equal(resumed.network.weight, whole.network.weight)


def test_learning_learns(tmp_path: Path) -> None:
    log = [json.loads(line) for line in Task().fit(tmp_path).splitlines()]
    assert log[-1]["loss"] < log[0]["loss"] / 2


def test_non_finite_loss_stops_before_the_weights_change(tmp_path: Path) -> None:
    task = Task(lambda step: float("nan") if step == 7 else None)
    with pytest.raises(ValueError, match="step 8: the loss is nan"):
        task.fit(tmp_path)
    assert torch.isfinite(task.network.weight).all()


def test_non_finite_gradient_stops_before_the_weights_change(tmp_path: Path) -> None:
    task = Task()
    plain = task.loss

    def steep(batch: tuple[int, Tensor]) -> tuple[Tensor, dict[str, float]]:
        loss, numbers = plain(batch)
        root = (task.network.weight[0, 0] - task.network.weight[0, 0].detach()).abs().sqrt()
        return (loss + root if batch[0] == 7 else loss), numbers

    task.loss = steep  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="step 8"):
        task.fit(tmp_path)
    assert torch.isfinite(task.network.weight).all()


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "emptied": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-99]),
    "turned": lambda path: path.write_bytes(path.read_bytes()[::-1]),
    "not finite": lambda path: _saved_again(path, network={"weight": torch.full((1, 4), math.nan)}),
    "of another network": lambda path: _saved_again(path, network={"weight": torch.zeros(7, 7)}),
    "a log too short": lambda path: _saved_again(path, log=["{}"]),
    "no log": lambda path: _saved_again(path, log=5),
    "another optimiser": lambda path: _saved_again(path, optimizer={}),
    "a list": lambda path: torch.save([1], path),
}


def _saved_again(path: Path, **changes: Any) -> None:
    torch.save({**torch.load(path, weights_only=True), **changes}, path)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_from_a_damaged_checkpoint_the_training_starts_anew_and_says_so(
    tmp_path: Path, damage: Callable[[Path], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    whole, cut, resumed = Task(), Task(lambda step: float("inf") if step == 12 else None), Task()
    whole.fit(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        cut.fit(tmp_path / "cut")
    damage(tmp_path / "cut" / "checkpoint.pt")
    resumed.fit(tmp_path / "cut")
    assert resumed.steps == list(range(20))
    assert torch.equal(resumed.network.weight, whole.network.weight)
    assert "checkpoint.pt: no whole checkpoint (" in capsys.readouterr().err
