"""The stock model of the detectron2 engine: DefaultPredictor opens it and finds the same."""

import json
from collections import defaultdict
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import torch

from stages.engines.engine import INSTALL
from tests.stock_models import assert_same, opened_by, predicted, trained

pytest.importorskip("detectron2", reason=f"detectron2 is not installed; see {INSTALL}")

from detectron2.config import get_cfg
from detectron2.modeling import build_model

from stages.engines.detectron2.engine import load_detector
from stages.runtime.provenance import sources_of
from stages.settings.train import Train


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("stock"), engine="detectron2", fpn_channels=64)


def test_the_default_predictor_finds_the_same(out: Path) -> None:
    assert_same(predicted(out), opened_by("open_detectron2.py", out))


def test_a_network_of_the_configuration_loads_strictly_and_has_the_same_maps(out: Path) -> None:
    config = get_cfg()
    config.merge_from_file(str(out / "stock" / "config.yaml"), allow_unsafe=False)
    config.MODEL.DEVICE = "cpu"
    assert "MASKMILL" not in config
    assert str(out.parent) not in config.dump()
    stock = build_model(config).eval()
    saved = torch.load(out / "stock" / "model_final.pth", weights_only=True)
    stock.load_state_dict(saved["model"], strict=True)
    assert [category["id"] for category in saved["categories"]] == [3, 8, 9]
    ours, _ = load_detector(Train(engine="detectron2"), out / "model.pt", torch.device("cpu"))
    pixels = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        mine, theirs = ours.backbone(pixels), stock.backbone(pixels)
    assert all(torch.equal(mine[level], theirs[level]) for level in mine)


def test_the_facts_tell_which_detectron2_it_was(out: Path) -> None:
    told = json.loads((out / "training.json").read_text())["packages"]["detectron2"]
    assert told == f"{metadata.version('detectron2')} (sources {sources_of('detectron2')})"


def test_metrics_are_read_as_detectron2_writes_them(out: Path) -> None:
    lines = (out / "stock" / "metrics.json").read_text().splitlines()
    columns: dict[str, list[Any]] = defaultdict(list)
    for line in map(json.loads, lines):
        for name, value in line.items():
            columns[name].append(value)
    assert columns["iteration"] == list(range(12))
    losses = {"loss_cls", "loss_box_reg", "loss_mask", "loss_rpn_cls", "loss_rpn_loc"}
    assert set(columns) == {"iteration", "total_loss", "lr"} | losses
    sums = [sum(columns[name][k] for name in losses) for k in range(12)]
    assert columns["total_loss"] == pytest.approx(sums, abs=1e-5)
