"""fit_select: PSM learns, resumes to the same bytes, and refuses what it cannot learn from."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch
import torchvision
from stages.tables.refinements import REFINEMENTS

from stages import fit_select, refine, select
from stages.learning.opening import fitted_network, open_inputs
from stages.learning.trainer import load_model
from stages.runtime.provenance import sha256_of
from stages.settings.propose import Propose
from stages.settings.selectors.psm import Features
from stages.tables.proposals import PROPOSALS
from stages.tables.table import read_tables, write_table

SMALL = {
    "features": {"channels": 16, "hidden": 32, "roi_size": 3},
    "training": {"epochs": 3, "batch_images": 2, "warmup": 2, "checkpoint_every": 2},
}


def fit(world: Any, folder: Path, name: str = "model", **more: Any) -> bytes:
    """Train into `folder`; `training` and `seed` may be among `more`, the rest is settings."""
    names = ("seed", "device", "shards", "refine_settings")
    flags = {key: more.pop(key) for key in names if key in more}
    training = {**SMALL["training"], **more.pop("training", {})}
    settings = json.dumps({"psm": {**SMALL, **more, "training": training}})
    out = {"out": folder / f"{name}.pt", "out_log": folder / f"{name}.jsonl"}
    fit_select.main(world.flags(**out, **flags, settings=settings))
    return out["out"].read_bytes()


def test_model_and_log_are_complete(small_world: Any, tmp_path: Path) -> None:
    fit(small_world, tmp_path)
    state, header = load_model(tmp_path / "model.pt")
    assert all(torch.isfinite(value).all() for value in state.values())
    assert header["stage"] == "stages.fit_select"
    assert str(small_world.folder) not in json.dumps(header)
    lines = [json.loads(line) for line in (tmp_path / "model.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 10))  # 3 epochs of 3 steps
    assert {"loss", "lr", "images_per_second"} <= set(lines[0])
    assert {path.name for path in tmp_path.iterdir()} == {"model.pt", "model.jsonl"}


def test_equal_seeds_give_equal_bytes_and_others_do_not(small_world: Any, tmp_path: Path) -> None:
    first = fit(small_world, tmp_path, "first", seed=3)
    assert fit(small_world, tmp_path, "again", seed=3) == first
    assert fit(small_world, tmp_path, "other", seed=4) != first


def test_order_of_shards_and_reading_processes_change_nothing(
    small_world: Any, tmp_path: Path
) -> None:
    plain = fit(small_world, tmp_path, "plain")
    assert weights(fit(small_world, tmp_path, "turned", shards=(1, 0))) == weights(plain)
    parallel = fit(small_world, tmp_path, "parallel", training={"workers": 1})
    assert weights(parallel) == weights(plain)
    uncached = {**SMALL["features"], "cache": False}
    assert weights(fit(small_world, tmp_path, "uncached", features=uncached)) == weights(plain)


def weights(model: bytes) -> dict[str, list[float]]:
    state = torch.load(io.BytesIO(model), weights_only=True)["state"]
    return {key: value.flatten().tolist() for key, value in state.items()}


@pytest.mark.parametrize("at", [1, 4, 8], ids=["before", "between", "at the end"])
def test_killed_training_ends_with_the_same_bytes(
    small_world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    wanted = fit(small_world, tmp_path, "whole")
    steps = interrupted_after(at, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        fit(small_world, tmp_path, "killed")
    assert not (tmp_path / "killed.pt").exists()
    steps.clear()
    monkeypatch.setattr(fit_select, "select_loss", counted(steps, limit=10**6))
    assert fit(small_world, tmp_path, "killed") == wanted
    assert len(steps) == 9 - at // 2 * 2  # a checkpoint every second step
    log = (tmp_path / "killed.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == list(range(1, 10))


LOSS = fit_select.select_loss


def interrupted_after(count: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """As kill does: stop in the middle of step `count` + 1."""
    steps: list[int] = []
    monkeypatch.setattr(fit_select, "select_loss", counted(steps, limit=count))
    return steps


def counted(steps: list[int], *, limit: int) -> Callable[..., Any]:
    def loss(*args: Any, **kwargs: Any) -> Any:
        if len(steps) == limit:
            raise KeyboardInterrupt
        steps.append(len(steps))
        return LOSS(*args, **kwargs)

    return loss


def test_work_of_other_settings_is_not_resumed(
    small_world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted_after(4, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        fit(small_world, tmp_path, "model", seed=1)
    monkeypatch.undo()
    assert fit(small_world, tmp_path, "model", seed=2) == fit(
        small_world, tmp_path, "fresh", seed=2
    )


def test_non_finite_loss_stops_and_names_the_images(
    small_world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        loss, numbers = LOSS(*args, **kwargs)
        return loss * float("nan"), numbers

    monkeypatch.setattr(fit_select, "select_loss", broken)
    with pytest.raises(ValueError, match=r"step 1: the loss is nan.*lr.*images.*\[\d, \d\]"):
        fit(small_world, tmp_path)


def test_no_proposals_are_refused(
    small_world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = pa.Table.from_pylist([], PROPOSALS.schema)
    write_table(tmp_path / "empty.parquet", empty, PROPOSALS, {})
    flags = small_world.flags(out=tmp_path / "m.pt", out_log=tmp_path / "l.jsonl")
    flags = [*flags[: flags.index("--proposals")], "--proposals", str(tmp_path / "empty.parquet")]
    with pytest.raises(ValueError, match="no proposals"):
        fit_select.main(flags)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_cuda_without_a_gpu_is_refused(small_world: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no GPU"):
        fit(small_world, tmp_path, device="cuda")


@pytest.mark.parametrize("apply", ["score", "logits", "none"])
@pytest.mark.parametrize("background", [True, False])
def test_every_reading_trains(
    small_world: Any, tmp_path: Path, apply: str, background: bool
) -> None:
    fit(small_world, tmp_path, pdg={"apply": apply}, background=background, training={"epochs": 1})
    state, _ = load_model(tmp_path / "model.pt")
    assert len(state["heads.psm.cls.bias"]) == 10 + background


def test_resnet_from_scratch_trains(small_world: Any, tmp_path: Path) -> None:
    features = {**SMALL["features"], "source": "resnet18", "short_side": 64, "long_side": 64}
    fit(small_world, tmp_path, features=features, training={"epochs": 1, "optimizer": "sgd"})
    state, _ = load_model(tmp_path / "model.pt")
    assert "maps.body.layer4.1.bn2.weight" in state


def test_weights_of_a_resnet_count_by_checksum_not_by_path(
    small_world: Any, tmp_path: Path
) -> None:
    path = tmp_path / "weights.pth"
    torch.save(torchvision.models.resnet18().state_dict(), path)
    features = {"source": "resnet18", "short_side": 64, "long_side": 64, "weights": str(path)}
    fit(small_world, tmp_path, features={**SMALL["features"], **features}, training={"epochs": 1})
    _, header = load_model(tmp_path / "model.pt")
    assert str(tmp_path) not in json.dumps(header)
    assert header["model_sha256"] == sha256_of(path)


def test_the_image_whose_loss_is_not_finite_is_named(
    small_world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(network: Any, pixels: Any, bags: Any, settings: Any) -> Any:
        loss, numbers = LOSS(network, pixels, bags, settings)
        bad = any(image.image_id == 3 for image in bags)
        return loss * (float("inf") if bad else 1.0), numbers

    monkeypatch.setattr(fit_select, "select_loss", broken)
    with pytest.raises(ValueError, match=r"the loss is inf.*images \[3\]\."):
        fit(small_world, tmp_path)


def test_mixed_precision_trains_to_other_weights(small_world: Any, tmp_path: Path) -> None:
    plain = fit(small_world, tmp_path, "plain")
    mixed = fit(small_world, tmp_path, "mixed", training={"precision": "bfloat16"})
    assert fit(small_world, tmp_path, "again", training={"precision": "bfloat16"}) == mixed
    assert weights(mixed) != weights(plain)
    state, _ = load_model(tmp_path / "mixed.pt")
    assert {value.dtype for value in state.values()} == {torch.float32}


JOINT = json.dumps({"prm": {"fit": "joint", "npg": {"background": 20, "part_mode": "random"}}})


def test_joint_training_leaves_both_heads_and_both_losses(small_world: Any, tmp_path: Path) -> None:
    fit(small_world, tmp_path, refine_settings=JOINT)
    state, header = load_model(tmp_path / "model.pt")
    assert len(state["heads.psm.cls.bias"]) == len(state["heads.prm.cls.bias"]) + 1
    assert header["settings"]["refine"]["prm"]["fit"] == "joint"
    lines = [json.loads(line) for line in (tmp_path / "model.jsonl").read_text().splitlines()]
    for line in lines:
        assert line["loss"] == pytest.approx(line["loss_psm"] + line["loss_prm"], rel=1e-5)
        assert {"bag_score", "bag_score_prm", "positive", "negative", "negatives"} <= set(line)


@pytest.mark.parametrize(
    "settings", ['{"prm": {"fit": "staged"}}', '{"prm": {"fit": "joint"}, "method": "as_it_is"}']
)
def test_without_prm_or_a_joint_fit_nothing_changes(
    small_world: Any, tmp_path: Path, settings: str
) -> None:
    staged = fit(small_world, tmp_path, "staged", training={"epochs": 1})
    other = fit(small_world, tmp_path, "other", training={"epochs": 1}, refine_settings=settings)
    assert other == staged


def test_killed_joint_training_ends_with_the_same_bytes(
    small_world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = fit(small_world, tmp_path, "whole", refine_settings=JOINT)
    steps: list[int] = []
    loss = fit_select.joint_loss

    def cut(*args: Any, **kwargs: Any) -> Any:
        steps.append(0)
        if len(steps) == 6:
            raise KeyboardInterrupt
        return loss(*args, **kwargs)

    monkeypatch.setattr(fit_select, "joint_loss", cut)
    with pytest.raises(KeyboardInterrupt):
        fit(small_world, tmp_path, "killed", refine_settings=JOINT)
    assert fit(small_world, tmp_path, "killed", refine_settings=JOINT) == wanted
    assert len(steps) == 6 + 5  # resumed at step 4 of 9


def test_select_and_refine_open_a_joint_model(small_world: Any, tmp_path: Path) -> None:
    fit(small_world, tmp_path, refine_settings=JOINT)
    text = {"settings": json.dumps({"psm": {**SMALL, "training": SMALL["training"]}})}
    chosen, refined = tmp_path / "s.parquet", tmp_path / "r.parquet"
    common = {"model": tmp_path / "model.pt", "shard": "0000-of-0002", "shards": (0,)}
    select.main(small_world.flags(**common, **text, out=chosen))
    texts = {"settings": JOINT, "select_settings": text["settings"]}
    flags = small_world.flags(**common, **texts, out=refined)
    refine.main([*flags, "--selections", str(chosen)])
    assert len(read_tables([refined], REFINEMENTS))


def test_a_model_without_the_head_asked_for_is_refused(small_world: Any, tmp_path: Path) -> None:
    fit(small_world, tmp_path, training={"epochs": 1})
    features = Features(**SMALL["features"])
    inputs = open_inputs(
        small_world.folder, features, Propose(sam=small_world.sam), torch.device("cpu"), None
    )
    model = tmp_path / "model.pt"
    assert fitted_network(model, features, inputs, {"psm": 11})
    for heads in ({"prm": 10}, {"psm": 10}, {"psm": 11, "prm": 10}):
        with pytest.raises(ValueError, match="does not fit these settings"):
            fitted_network(model, features, inputs, heads)
