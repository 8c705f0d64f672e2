"""fit_select: PSM learns, resumes to the same bytes, and refuses what it cannot learn from."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision

from stages import fit_select
from stages.learning import joint_step, select_step
from stages.learning.model_file import load_model
from stages.learning.opening import fitted_network, open_inputs
from stages.runtime.provenance import sha256_of
from stages.settings.propose import Propose
from stages.settings.segmenters.sam import Settings as Sam
from stages.settings.selectors.psm import Features
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import empty_table, read_table, write_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.world import PAPER, PSM, SMALL_SELECT, Run, World, changed, mixed_world


def fit(world: World, folder: Path, name: str = "model", **more: Any) -> bytes:
    """Train into `folder`; some of `more` are flags, the rest are keys of block psm."""
    names = ("seed", "device", "shards", "refine_settings")
    flags = {key: more.pop(key) for key in names if key in more}
    training = {**PSM["training"], **more.pop("training", {})}
    settings = json.dumps({"psm": {**PSM, **more, "training": training}})
    out = {"out": folder / f"{name}.pt", "out_log": folder / f"{name}.jsonl"}
    fit_select.main(world.flags(**out, **flags, settings=settings))
    return out["out"].read_bytes()


def test_model_and_log_are_complete(small_world: World, tmp_path: Path) -> None:
    fit(small_world, tmp_path)
    state, header = load_model(tmp_path / "model.pt")
    assert all(torch.isfinite(value).all() for value in state.values())
    assert header["stage"] == "stages.fit_select"
    assert str(small_world.folder) not in json.dumps(header)
    lines = [json.loads(line) for line in (tmp_path / "model.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 10))  # 3 epochs of 3 steps
    assert {"loss", "lr", "images_per_second"} <= set(lines[0])
    assert {path.name for path in tmp_path.iterdir()} == {"model.pt", "model.jsonl"}


def test_equal_seeds_give_equal_bytes_and_others_do_not(small_world: World, tmp_path: Path) -> None:
    first = fit(small_world, tmp_path, "first", seed=3)
    assert fit(small_world, tmp_path, "again", seed=3) == first
    assert fit(small_world, tmp_path, "other", seed=4) != first


def test_order_of_shards_and_reading_processes_change_nothing(
    small_world: World, tmp_path: Path
) -> None:
    plain = fit(small_world, tmp_path, "plain")
    assert weights(fit(small_world, tmp_path, "turned", shards=(1, 0))) == weights(plain)
    parallel = fit(small_world, tmp_path, "parallel", training={"workers": 1})
    assert weights(parallel) == weights(plain)
    uncached = {**PSM["features"], "cache": False}
    assert weights(fit(small_world, tmp_path, "uncached", features=uncached)) == weights(plain)


def weights(model: bytes) -> dict[str, list[float]]:
    state = torch.load(io.BytesIO(model), weights_only=True)["state"]
    return {key: value.flatten().tolist() for key, value in state.items()}


@pytest.mark.parametrize("at", [1, 4, 8], ids=["before", "between", "at the end"])
def test_killed_training_ends_with_the_same_bytes(
    small_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    wanted = fit(small_world, tmp_path, "whole")
    steps = interrupted_after(at, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        fit(small_world, tmp_path, "killed")
    assert not (tmp_path / "killed.pt").exists()
    steps.clear()
    monkeypatch.setattr(select_step, "select_loss", counted(steps, limit=10**6))
    assert fit(small_world, tmp_path, "killed") == wanted
    assert len(steps) == 9 - at // 2 * 2  # a checkpoint every second step
    log = (tmp_path / "killed.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == list(range(1, 10))


LOSS = select_step.select_loss


def interrupted_after(count: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """As kill does: stop in the middle of step `count` + 1."""
    steps: list[int] = []
    monkeypatch.setattr(select_step, "select_loss", counted(steps, limit=count))
    return steps


def counted(steps: list[int], *, limit: int) -> Callable[..., Any]:
    def loss(*args: Any, **kwargs: Any) -> Any:
        if len(steps) == limit:
            raise KeyboardInterrupt
        steps.append(len(steps))
        return LOSS(*args, **kwargs)

    return loss


def test_work_of_other_settings_is_not_resumed(
    small_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted_after(4, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        fit(small_world, tmp_path, "model", seed=1)
    monkeypatch.undo()
    assert fit(small_world, tmp_path, "model", seed=2) == fit(
        small_world, tmp_path, "fresh", seed=2
    )


def test_non_finite_loss_stops_and_names_the_images(
    small_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        loss, numbers = LOSS(*args, **kwargs)
        return loss * float("nan"), numbers

    monkeypatch.setattr(select_step, "select_loss", broken)
    with pytest.raises(ValueError, match=r"step 1: the loss is nan.*lr.*images.*\[\d, \d\]"):
        fit(small_world, tmp_path)


def test_no_proposals_are_refused(small_world: World, tmp_path: Path) -> None:
    write_table(tmp_path / "empty.parquet", empty_table(PROPOSALS), PROPOSALS, {})
    flags = small_world.flags(out=tmp_path / "m.pt", out_log=tmp_path / "l.jsonl")
    flags = [*flags[: flags.index("--proposals")], "--proposals", str(tmp_path / "empty.parquet")]
    with pytest.raises(ValueError, match=r"no proposals .* Set select\.method: sam_top1 and"):
        fit_select.main(flags)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_cuda_without_a_gpu_is_refused(small_world: World, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no GPU"):
        fit(small_world, tmp_path, device="cuda")


@pytest.mark.parametrize("apply", ["score", "logits", "none"])
@pytest.mark.parametrize("background", [True, False])
def test_every_reading_trains(
    small_world: World, tmp_path: Path, apply: str, background: bool
) -> None:
    fit(small_world, tmp_path, pdg={"apply": apply}, background=background, training={"epochs": 1})
    state, _ = load_model(tmp_path / "model.pt")
    assert len(state["heads.psm.cls.bias"]) == 10 + background


def test_resnet_from_scratch_trains(small_world: World, tmp_path: Path) -> None:
    features = {**PSM["features"], "source": "resnet18", "short_side": 64, "long_side": 64}
    fit(small_world, tmp_path, features=features, training={"epochs": 1, "optimizer": "sgd"})
    state, _ = load_model(tmp_path / "model.pt")
    assert "maps.body.layer4.1.bn2.weight" in state


def test_weights_of_a_resnet_count_by_checksum_not_by_path(
    small_world: World, tmp_path: Path
) -> None:
    path = tmp_path / "weights.pth"
    torch.save(torchvision.models.resnet18().state_dict(), path)
    features = {"source": "resnet18", "short_side": 64, "long_side": 64, "weights": str(path)}
    fit(small_world, tmp_path, features={**PSM["features"], **features}, training={"epochs": 1})
    _, header = load_model(tmp_path / "model.pt")
    assert str(tmp_path) not in json.dumps(header)
    assert header["model_sha256"] == sha256_of(path)


def test_the_image_whose_loss_is_not_finite_is_named(
    small_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(network: Any, pixels: Any, bags: Any, settings: Any) -> Any:
        loss, numbers = LOSS(network, pixels, bags, settings)
        bad = any(image.image_id == 3 for image in bags)
        return loss * (float("inf") if bad else 1.0), numbers

    monkeypatch.setattr(select_step, "select_loss", broken)
    with pytest.raises(ValueError, match=r"the loss is inf.*images \[3\]\."):
        fit(small_world, tmp_path)


def test_mixed_precision_trains_to_other_weights(small_world: World, tmp_path: Path) -> None:
    plain = fit(small_world, tmp_path, "plain")
    mixed = fit(small_world, tmp_path, "mixed", training={"precision": "bfloat16"})
    assert fit(small_world, tmp_path, "again", training={"precision": "bfloat16"}) == mixed
    assert weights(mixed) != weights(plain)
    state, _ = load_model(tmp_path / "mixed.pt")
    assert {value.dtype for value in state.values()} == {torch.float32}


JOINT = json.dumps({"prm": {"fit": "joint", "npg": {"background": 20, "part_mode": "random"}}})


def test_joint_training_leaves_both_heads_and_both_losses(
    small_world: World, tmp_path: Path
) -> None:
    fit(small_world, tmp_path, refine_settings=JOINT)
    state, header = load_model(tmp_path / "model.pt")
    assert len(state["heads.psm.cls.bias"]) == len(state["heads.prm.cls.bias"])
    assert header["refine_settings"]["prm"]["fit"] == "joint"
    lines = [json.loads(line) for line in (tmp_path / "model.jsonl").read_text().splitlines()]
    for line in lines:
        assert line["loss"] == pytest.approx(line["loss_psm"] + line["loss_prm"], rel=1e-5)
        assert {"bag_score", "bag_score_prm", "positive", "negative", "negatives"} <= set(line)


@pytest.mark.parametrize(
    "settings",
    ['{"prm": {"fit": "staged"}}', '{"prm": {"fit": "joint"}, "method": "as_it_is"}'],
    ids=["staged", "no prm"],
)
def test_without_prm_or_a_joint_fit_nothing_changes(
    small_world: World, tmp_path: Path, settings: str
) -> None:
    staged = fit(small_world, tmp_path, "staged", training={"epochs": 1})
    other = fit(small_world, tmp_path, "other", training={"epochs": 1}, refine_settings=settings)
    assert other == staged


def test_killed_joint_training_ends_with_the_same_bytes(
    small_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = fit(small_world, tmp_path, "whole", refine_settings=JOINT)
    steps: list[int] = []
    loss = joint_step.joint_loss

    def cut(*args: Any, **kwargs: Any) -> Any:
        steps.append(0)
        if len(steps) == 6:
            raise KeyboardInterrupt
        return loss(*args, **kwargs)

    monkeypatch.setattr(joint_step, "joint_loss", cut)
    with pytest.raises(KeyboardInterrupt):
        fit(small_world, tmp_path, "killed", refine_settings=JOINT)
    assert fit(small_world, tmp_path, "killed", refine_settings=JOINT) == wanted
    assert len(steps) == 6 + 5  # resumed at step 4 of 9


def test_select_and_refine_open_a_joint_model(small_world: World, tmp_path: Path) -> None:
    run, refine = Run(small_world, tmp_path), {**json.loads(JOINT), **PAPER}
    run.fit_select(SMALL_SELECT, refine)
    run.select(SMALL_SELECT)
    run.refine(refine, SMALL_SELECT, model="select")
    rows = [len(read_table(path, PSEUDO_LABELS)) for path in run.pseudo_labels]
    assert sum(rows) == len(small_world.true_masks)


def test_a_model_without_the_head_asked_for_is_refused(small_world: World, tmp_path: Path) -> None:
    fit(small_world, tmp_path, training={"epochs": 1})
    features = Features(**PSM["features"])
    propose = Propose(sam=Sam(**small_world.sam))
    inputs = open_inputs(features, propose, folder=small_world.folder, device=torch.device("cpu"))
    model = tmp_path / "model.pt"
    assert fitted_network(model, features, inputs, {"psm": 10})
    for heads in ({"prm": 10}, {"psm": 11}, {"psm": 10, "prm": 10}):
        with pytest.raises(ValueError, match="does not fit these settings"):
            fitted_network(model, features, inputs, heads)


def test_the_header_holds_what_the_training_depends_on_and_no_more(
    small_world: World, tmp_path: Path
) -> None:
    fit(small_world, tmp_path, training={"epochs": 1}, quality_exponent=9.0)
    _, header = load_model(tmp_path / "model.pt")
    assert header["settings"]["psm"]["training"]["epochs"] == 1
    assert "quality_exponent" not in header["settings"]["psm"]
    assert "chunk" not in header["settings"]
    assert "refine_settings" not in header
    assert not any("joint_step" in code or "refine_step" in code for code in header["code"])
    assert any("sam_inputs" in code for code in header["code"])
    assert not any("backbone" in code or "pixel_inputs" in code for code in header["code"])


def test_the_code_of_prm_counts_where_the_fit_is_joint(small_world: World, tmp_path: Path) -> None:
    fit(small_world, tmp_path, training={"epochs": 1}, refine_settings=JOINT)
    _, header = load_model(tmp_path / "model.pt")
    assert any("joint_step" in code for code in header["code"])
    assert any("refine_step" in code for code in header["code"])
    assert header["settings"]["psm"]["quality_exponent"] == 2.0  # of the choice at every step


def test_a_method_that_learns_nothing_is_refused(small_world: World, tmp_path: Path) -> None:
    flags = small_world.flags(out=tmp_path / "m.pt", out_log=tmp_path / "l.jsonl")
    with pytest.raises(ValueError, match=r"select\.method is largest.*nothing to fit"):
        fit_select.main([*flags, "--settings", '{"method": "largest"}'])


def test_an_object_without_a_bag_is_refused(small_world: World, tmp_path: Path) -> None:
    gone = min(small_world.true_masks)
    without = changed(
        small_world,
        tmp_path / "world",
        proposals_0=lambda rows: [row for row in rows if row["bag_id"] != gone],
    )
    with pytest.raises(ValueError, match=rf"1 bags are missing.*{gone}"):
        fit(without, tmp_path)


def test_boxes_and_points_train_together_and_masks_train_nothing(
    small_world: World, tmp_path: Path
) -> None:
    mixed = mixed_world(small_world, tmp_path / "world")
    fit(mixed, tmp_path, training={"epochs": 1})
    lines = [json.loads(line) for line in (tmp_path / "model.jsonl").read_text().splitlines()]
    kinds = read_table(mixed.folder / "weak_labels.parquet", WEAK_LABELS).column("kind")
    wanted = len(kinds) - kinds.to_pylist().count("mask")
    assert 0 < wanted < len(kinds)
    assert sum(line["objects"] for line in lines) == wanted


def test_a_photograph_that_was_replaced_is_refused(small_world: World, tmp_path: Path) -> None:
    world = changed(small_world, tmp_path / "world")
    shutil.copy(world.folder / "2.png", world.folder / "1.png")
    with pytest.raises(ValueError, match=r"1\.png.*replaced"):
        fit(world, tmp_path)
