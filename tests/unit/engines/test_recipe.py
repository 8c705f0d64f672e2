"""What the trainings of all engines share: the optimiser of the settings, the log, seeds."""

import json
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from stages.engines import recipe
from stages.engines.hooks import DROPPED
from stages.settings.train import CopyPaste, RoiDrop, Train

SHORT: dict[str, Any] = {"iterations": 3, "warmup": 0, "norm": "group"}


@dataclass
class Fake:
    """A step of two images, one of them with a pasted instance."""

    step: int
    image_ids: tuple[int, ...] = (4, 7)
    pasted: int = 1

    def parts(self, number: int) -> list["Fake"]:
        """Its images in so many parts, at most."""
        cuts = [self.image_ids[start::number] for start in range(number)]
        return [replace(self, image_ids=cut) for cut in cuts if cut]


def run(folder: Path, losses_of: Any = None, **more: Any) -> list[dict[str, Any]]:
    """Trains a network of two weights; returns the log."""
    torch.manual_seed(0)
    network = nn.Linear(1, 1)

    def losses(batch: Fake) -> tuple[dict[str, Tensor], dict[str, float]]:
        value = network(torch.rand(1, 1)).sum()
        return {"loss_a": value**2, "loss_b": 0 * value + 1}, {}

    log = recipe.train_network(
        network,
        Fake,
        losses_of or losses,
        Train(**SHORT, **more),
        out=folder / "model.pt",
        seed=3,
        header={"what": "a test"},
    )
    return [json.loads(line) for line in log.splitlines()]


@pytest.mark.parametrize("momentum", [0.5, 0.9])
def test_the_momentum_is_that_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, momentum: float
) -> None:
    made = list[torch.optim.Optimizer]()
    stock = recipe.optimizer_of

    def watched(*args: Any, **given: Any) -> torch.optim.Optimizer:
        made.append(stock(*args, **given))
        return made[0]

    monkeypatch.setattr(recipe, "optimizer_of", watched)
    run(tmp_path, optimizer="sgd", momentum=momentum)
    assert [optimizer.param_groups[0]["momentum"] for optimizer in made] == [momentum]


def test_the_loss_is_the_sum_of_its_parts_and_images_are_counted(tmp_path: Path) -> None:
    log = run(tmp_path)
    assert [entry["step"] for entry in log] == [1, 2, 3]
    for entry in log:
        assert entry["loss"] == pytest.approx(entry["loss_a"] + 1)
        assert entry["images"] == 2
        assert "pasted" not in entry
    assert (tmp_path / "model.pt").is_file()


def test_hooks_that_are_on_tell_the_log(tmp_path: Path) -> None:
    shares = dict.fromkeys(DROPPED, 0.25)
    weight = nn.Parameter(torch.ones(()))
    drop = RoiDrop(enabled=True, start=1)
    log = run(
        tmp_path,
        lambda batch: ({"loss_a": weight * 2}, shares),
        copy_paste=CopyPaste(enabled=True),
        roi_drop=drop,
    )
    assert all(entry["pasted"] == 1 for entry in log)
    assert all(entry[name] == 0.25 for entry in log for name in DROPPED)


def test_what_a_step_draws_depends_on_seed_and_step_alone(tmp_path: Path) -> None:
    drawn = dict[int, float]()
    weight = nn.Parameter(torch.ones(()))

    def losses(batch: Fake) -> tuple[dict[str, Tensor], dict[str, float]]:
        drawn[batch.step] = torch.rand(()).item()
        return {"loss_a": weight * 1}, {}

    run(tmp_path / "a", losses)
    first = dict(drawn)
    run(tmp_path / "b", losses)
    assert drawn == first
    assert len(set(first.values())) == 3


def test_a_library_that_finds_no_finite_boxes_is_one_sentence(tmp_path: Path) -> None:
    def losses(batch: Fake) -> Any:
        raise FloatingPointError("boxes are not finite")

    with pytest.raises(ValueError, match=r"step 1: the loss is nan.*images \(4, 7\)"):
        run(tmp_path, losses)


@pytest.mark.parametrize("parts", [1, 2, 3, 9])
def test_parts_leave_the_gradient_and_the_numbers_of_the_whole(parts: int) -> None:
    network, data = nn.Linear(2, 1), torch.rand(5, 2)
    torch.nn.init.ones_(network.weight)

    def losses(batch: Fake) -> tuple[dict[str, Tensor], dict[str, float]]:
        value = network(data[list(batch.image_ids)])
        return {"loss_a": (value**2).mean()}, {"dropped": float(len(batch.image_ids))}

    whole = Fake(0, image_ids=(0, 1, 2, 3, 4))
    (network(data) ** 2).mean().backward()
    wanted = network.weight.grad.clone()
    network.zero_grad()
    loss, numbers = recipe.accumulated(losses, whole, parts, nullcontext)
    loss.backward()
    torch.testing.assert_close(network.weight.grad, wanted)
    assert loss.item() == pytest.approx((network(data) ** 2).mean().item())
    assert numbers["loss_a"] == pytest.approx(loss.item())


def test_the_forward_has_the_precision_of_the_settings(tmp_path: Path) -> None:
    kinds = {}
    for precision in ("float32", "bfloat16"):
        seen: set[torch.dtype] = set()
        network = nn.Linear(3, 1)

        def losses(
            batch: Fake, network: nn.Module = network, seen: set[torch.dtype] = seen
        ) -> tuple[dict[str, Tensor], dict[str, float]]:
            found = network(torch.ones(2, 3))
            seen.add(found.dtype)
            return {"loss_a": (found**2).mean()}, {}

        settings = Train(**SHORT, precision=precision)
        out = tmp_path / precision / "model.pt"
        recipe.train_network(network, Fake, losses, settings, out=out, seed=0, header={})
        kinds[precision] = seen
        assert network.weight.dtype == torch.float32
    assert kinds == {"float32": {torch.float32}, "bfloat16": {torch.bfloat16}}
