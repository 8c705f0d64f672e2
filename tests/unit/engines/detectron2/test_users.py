"""A user's own network: read as detectron2 reads it, hooked where it allows, never fetched."""

import builtins
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.engines.engine import INSTALL
from stages.engines.step_reader import StepReader
from stages.engines.training_labels import Labels
from stages.learning import trainer
from stages.settings.train import MultiMask, RoiDrop, Train
from tests.rectangles import SIDE, write_rectangles
from tests.stock_models import assert_same, opened_by, predicted, trained

pytest.importorskip("detectron2", reason=f"detectron2 is not installed; see {INSTALL}")

from detectron2 import modeling
from detectron2.config import LazyConfig, instantiate

from stages.engines.detectron2.config import build_network, config_of
from stages.engines.detectron2.engine import check, load_detector, losses_of, open_detector
from stages.engines.detectron2.hooking import hooks_told_of
from stages.engines.detectron2.samples import MappedReader, SampleMapper, in_order
from stages.engines.detectron2.users import load_matching

CPU = torch.device("cpu")
DETECTORS = Path(__file__).resolve().parents[4] / "workflow" / "detectors"
CASCADE, VITDET, SWIN = (str(DETECTORS / name) for name in ("cascade.yaml", "vitdet.py", "swin.py"))
OWN: dict[str, Any] = {"engine": "detectron2", "config": CASCADE}
LONG = {"iterations": 20, "batch_images": 4, "warmup": 5}
WEAK = "MODEL.ROI_HEADS.SCORE_THRESH_TEST=0.02"
on_main = pytest.mark.skipif(
    not hasattr(modeling, "ViT") or find_spec("timm") is None,
    reason="ViT and Swin need detectron2's main branch, and timm",
)


def losses(out: Path) -> list[float]:
    lines = (out / "log.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


def falls(out: Path) -> bool:
    return float(np.mean(losses(out)[-5:])) < 0.9 * float(np.mean(losses(out)[:5]))


def test_cascade_learns_and_the_default_predictor_finds_the_same(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = trained(tmp_path, **OWN, **LONG, overrides=[WEAK])
    assert falls(out)
    told = capfd.readouterr().err
    assert (
        "CascadeROIHeads takes the hooks mask_weight, ignore_mask, multi_mask, copy_paste; "
        "not roi_drop" in told
    )
    assert_same(predicted(out), opened_by("open_detectron2.py", out))
    header = json.loads(torch.load(out / "model.pt", weights_only=True)["header"])
    assert len(header["config_sha256"][0]) == 64
    assert str(DETECTORS) not in json.dumps(header)


@on_main
@pytest.mark.parametrize("config", [VITDET, SWIN], ids=["vitdet", "swin"])
def test_a_lazy_config_learns_and_detectron2_alone_loads_it(tmp_path: Path, config: str) -> None:
    sizes = {**LONG, "short_side": 128, "long_side": 128}
    out = trained(tmp_path, engine="detectron2", config=config, run_python=True, **sizes)
    assert falls(out)
    stock = instantiate(LazyConfig.load(str(out / "stock" / "config.yaml")).model).eval()
    saved = torch.load(out / "stock" / "model_final.pth", weights_only=True)
    stock.load_state_dict(saved["model"], strict=True)
    settings = Train(engine="detectron2", config=config, run_python=True)
    ours, ids = load_detector(settings, out / "model.pt", CPU)
    assert ids == [3, 8, 9]
    image = {"image": torch.randint(0, 255, (3, 128, 128), dtype=torch.uint8)}
    with torch.inference_mode():
        mine, theirs = (model([dict(image)])[0]["instances"] for model in (ours, stock))
    assert torch.equal(mine.scores, theirs.scores)
    assert torch.equal(mine.pred_masks, theirs.pred_masks)


def test_a_killed_training_of_a_users_network_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = {**OWN, "iterations": 4, "checkpoint_every": 2}
    (tmp_path / "whole").mkdir(), (tmp_path / "cut").mkdir()
    whole = trained(tmp_path / "whole", **plan)
    stock = trainer.trained_step

    def cut(*args: Any, **more: Any) -> dict[str, float]:
        if more["step"] == 3:
            raise KeyboardInterrupt
        return stock(*args, **more)

    monkeypatch.setattr(trainer, "trained_step", cut)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "cut", **plan)
    monkeypatch.undo()
    again = trained(tmp_path / "cut", **plan)
    for name in ("model.pt", "stock/model_final.pth", "stock/config.yaml", "stock/metrics.json"):
        assert (again / name).read_bytes() == (whole / name).read_bytes(), name


def test_masks_of_weight_0_move_nothing_in_a_cascade(tmp_path: Path) -> None:
    path = write_rectangles(tmp_path, mask_weight=0)
    plan = Train(**OWN, batch_images=2, short_side=64, long_side=64)
    network, _ = open_detector(plan, 3, CPU, seed=0)
    reader = MappedReader(StepReader(tmp_path, Labels(path), plan, 0), SampleMapper(plan))
    found, dropped = losses_of(network.train(), reader(0))
    assert found["loss_mask"].item() == 0
    assert found["loss_cls_stage2"].item() > 0
    assert dropped == {}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"overrides": ("MODEL.NO_SUCH=1",)}, r"detectron2 cannot read .*NO_SUCH"),
        ({"overrides": ("MODEL.MASK_ON=False",)}, "has no RoI heads with masks"),
        ({"overrides": ("MODEL.KEYPOINT_ON=True",)}, "labels here have no keypoints"),
        ({"overrides": ("MODEL.WEIGHTS=detectron2://a.pkl",)}, "nothing is downloaded"),
        ({"overrides": ("MODEL.BACKBONE.NAME=none",)}, "cannot build this network"),
        ({"roi_drop": RoiDrop(enabled=True, start=1)}, "roi_drop is enabled, but finds no place"),
        (
            {
                "multi_mask": MultiMask(enabled=True),
                "overrides": ("MODEL.ROI_MASK_HEAD.CLS_AGNOSTIC_MASK=True",),
            },
            "multi_mask is enabled, but finds no place",
        ),
    ],
    ids=["unknown key", "no masks", "keypoints", "weights", "no backbone", "drop", "extra masks"],
)
def test_what_cannot_be_served_is_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    settings = Train(**OWN, **changes)
    with pytest.raises(ValueError, match=sentence):
        opened(settings)


def opened(settings: Train) -> Any:
    """The network with its hooks, after what is checked before."""
    check(settings)
    return open_detector(settings, 3, CPU, seed=0)[0]


def test_yaml_that_runs_code_is_refused_and_does_not_run(tmp_path: Path) -> None:
    made = tmp_path / "made"
    evil = f"MODEL: !!python/object/apply:os.mkdir ['{made}']\n"
    (tmp_path / "evil.yaml").write_text(evil)
    with pytest.raises(ValueError, match="ConstructorError"):
        check(Train(engine="detectron2", config=str(tmp_path / "evil.yaml")))
    assert not made.exists()


def test_a_program_with_a_fault_is_told_and_leaves_imports_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("model = 1 / 0\n")
    stock = builtins.__import__
    with pytest.raises(ValueError, match="ZeroDivisionError: division by zero"):
        check(Train(engine="detectron2", config=str(tmp_path / "mine.py"), run_python=True))
    assert builtins.__import__ is stock


def test_the_heads_that_take_all_hooks_are_told_so() -> None:
    network = build_network(config_of(Train(engine="detectron2"), 3), CPU)
    assert "not" not in hooks_told_of(network.roi_heads)


def test_weights_are_taken_where_names_and_shapes_agree(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source, _ = open_detector(Train(**OWN), 7, CPU, seed=1)
    torch.save({"model": source.state_dict()}, tmp_path / "seven.pth")
    plan = Train(**OWN, weights=str(tmp_path / "seven.pth"))
    network, _ = open_detector(plan, 3, CPU, seed=0)
    own, given = network.state_dict(), source.state_dict()
    same = [name for name in own if own[name].shape == given[name].shape]
    assert all(torch.equal(own[name], given[name]) for name in same)
    assert {name for name in own if name not in same} >= {"roi_heads.mask_head.predictor.weight"}
    assert f"{len(same)} of {len(own)} weights are from train.weights" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("saved", "sentence"), [({"x": torch.ones(2)}, "no weight has the name"), (3, "no state dict")]
)
def test_weights_of_another_network_are_refused(tmp_path: Path, saved: Any, sentence: str) -> None:
    torch.save(saved, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=sentence):
        load_matching(torch.nn.Linear(2, 2), Train(**OWN, weights=str(tmp_path / "other.pth")))


def test_channels_come_in_the_order_of_the_network() -> None:
    pixels = np.arange(SIDE * 3, dtype=np.uint8).reshape(1, SIDE, 3)
    assert (in_order(pixels, "RGB") == pixels).all()
    assert (in_order(pixels, "BGR")[..., 0] == pixels[..., 2]).all()
    with pytest.raises(ValueError, match=r"its INPUT\.FORMAT is YUV"):
        in_order(pixels, "YUV")
