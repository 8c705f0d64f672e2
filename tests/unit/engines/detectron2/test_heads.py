"""detectron2's heads with the hooks: stock where neutral, blind to what is to be ignored."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stages.engines.engine import INSTALL
from stages.engines.hooks import DROPPED
from stages.engines.step_reader import StepReader
from stages.engines.training_labels import Labels
from stages.settings.train import MultiMask, RoiDrop, Train
from tests.rectangles import write_rectangles

pytest.importorskip("detectron2", reason=f"detectron2 is not installed; see {INSTALL}")

from detectron2.layers import ShapeSpec
from detectron2.modeling import build_model
from detectron2.structures import BitMasks, Boxes, Instances
from detectron2.utils.events import EventStorage

from stages.engines.detectron2.config import build_network, config_of
from stages.engines.detectron2.heads import EXTRA_MASKS, BoxPredictor, MaskHead
from stages.engines.detectron2.hooking import add_hooks
from stages.engines.detectron2.samples import SampleMapper

CPU = torch.device("cpu")
SMALL = {"short_side": 64, "long_side": 64, "fpn_channels": 64, "rois_per_image": 16}
ALWAYS = RoiDrop(enabled=True, cls=1e30, reg=1e30, start=0)


def network(**hooks: Any) -> Any:
    torch.manual_seed(0)
    settings = Train(**SMALL, **hooks)
    return add_hooks(build_network(config_of(settings, 3), CPU), settings).train()


def stock_network(**hooks: Any) -> Any:
    config = config_of(Train(**SMALL, **hooks), 3)
    config.MODEL.DEVICE = "cpu"
    return build_model(config).train()


@pytest.fixture(scope="module")
def plain() -> Any:
    return network()


@pytest.fixture
def images(tmp_path: Path) -> list[dict[str, Any]]:
    """Two images of two objects each, with masks of weight 1 that do not fill their boxes."""
    path = write_rectangles(tmp_path)
    plan = Train(**SMALL, batch_images=2, flip=0.0)
    mapper = SampleMapper(plan)
    samples = StepReader(tmp_path, Labels(path), plan, 0)(0).samples
    for sample in samples:
        sample.masks[:, ::3] = 0
    return [mapper(sample) for sample in samples]


def losses(model: Any, images: list[dict[str, Any]]) -> tuple[dict[str, float], Tensor]:
    """Losses and the whole gradient, with the same anchors and RoIs each time."""
    torch.manual_seed(1)
    model.zero_grad()
    with EventStorage():
        found = model(images)
    torch.stack(list(found.values())).sum().backward()
    gradient = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    return {name: value.item() for name, value in found.items()}, gradient.clone()


@pytest.mark.parametrize("others", [0, 1], ids=["alone", "with another"])
def test_an_image_without_objects_trains_on_background(
    plain: Any, images: list[dict[str, Any]], others: int
) -> None:
    images[0]["instances"] = images[0]["instances"][torch.zeros(2, dtype=torch.bool)]
    found, gradient = losses(plain, images[: 1 + others])
    assert (found["loss_mask"] > 0) == (found["loss_box_reg"] > 0) == bool(others)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize(
    "hooks",
    [{}, {"roi_drop": ALWAYS}, {"roi_drop": RoiDrop(enabled=True, cls=1e-9, start=1)}],
    ids=["none", "infinite thresholds", "before the start"],
)
def test_neutral_hooks_give_the_losses_of_detectron2(images: Any, hooks: Any) -> None:
    ours, stock = network(**hooks), stock_network(**hooks)
    stock.load_state_dict(ours.state_dict(), strict=True)
    (mine, gradient), (theirs, wanted) = losses(ours, images), losses(stock, images)
    assert mine == pytest.approx(theirs, abs=1e-6)
    assert mine["loss_mask"] > 0
    torch.testing.assert_close(gradient, wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("ignored", [True, False])
@pytest.mark.parametrize("kind", ["empty", "full", "inverse"])
def test_a_mask_of_weight_0_moves_nothing(
    plain: Any, images: Any, ignored: bool, kind: str
) -> None:
    instances = images[0]["instances"]
    instances.gt_mask_weight = torch.tensor([0.0 if ignored else 1.0, 1.0])
    before, gradient = losses(plain, images)
    mask = instances.gt_masks.tensor[0]
    mask[:] = {"empty": torch.tensor(False), "full": torch.tensor(True), "inverse": ~mask}[kind]
    after, other = losses(plain, images)
    assert (before["loss_mask"] == after["loss_mask"]) == ignored
    assert torch.equal(gradient, other) == ignored
    assert before["loss_box_reg"] == after["loss_box_reg"]


def test_without_any_trusted_mask_the_mask_losses_are_0(images: Any) -> None:
    for image in images:
        image["instances"].gt_mask_weight = torch.zeros(2)
        for name in EXTRA_MASKS:
            image["instances"].set(name, image["instances"].gt_masks)
        image["instances"].gt_extra_valid = torch.ones(2, 3, dtype=torch.bool)
    found, gradient = losses(network(multi_mask=MultiMask(enabled=True)), images)
    assert (found["loss_mask"], found["loss_mask_extra"]) == (0, 0)
    assert found["loss_cls"] > 0
    assert torch.isfinite(gradient).all()


def rois(rng: np.random.Generator, number: int) -> Instances:
    """RoIs of an image of 32 px, with all the fields of the mask losses."""
    found = Instances((32, 32))
    corners = torch.from_numpy(rng.uniform(0, 12, (number, 2)))
    found.proposal_boxes = Boxes(torch.cat([corners, corners + 16], dim=1).float())
    found.gt_classes = torch.from_numpy(rng.integers(0, 3, number))
    for name in ("gt_masks", *EXTRA_MASKS):
        found.set(name, BitMasks(torch.from_numpy(rng.random((number, 32, 32)) < 0.5)))
    found.gt_mask_weight = torch.from_numpy(rng.choice([0.5, 1.0], number)).float()
    found.gt_extra_valid = torch.from_numpy(rng.random((number, 3)) < 0.6)
    return found


def test_extra_masks_are_a_weighted_mean_of_dice_losses() -> None:
    rng = np.random.default_rng(2)
    config = config_of(Train(**SMALL), 3)
    head = MaskHead(config, ShapeSpec(channels=32, width=14, height=14)).train()
    head.multi_mask = MultiMask(enabled=True, gamma=0.5)
    found, features = [rois(rng, 3), rois(rng, 0), rois(rng, 2)], torch.randn(5, 32, 14, 14)
    losses = head(features, found)
    logits = head.layers(features).detach().double()
    slow, crosses, row = [], [], 0
    for image in found:
        for k in range(len(image)):
            one, weight = image[k], float(image.gt_mask_weight[k])
            prob = logits[row, int(one.gt_classes)].sigmoid()
            row += 1
            box = one.proposal_boxes.tensor
            goal = one.gt_masks.crop_and_resize(box, 28)[0].double()
            cross = -(goal * prob.log() + (1 - goal) * (1 - prob).log()).mean()
            crosses.append(float(cross) * weight)
            for name, valid in zip(EXTRA_MASKS, one.gt_extra_valid[0].tolist(), strict=True):
                extra = one.get(name).crop_and_resize(box, 28)[0].double()
                squares = (prob**2).sum() + (extra**2).sum() + 2e-3
                dice = 1 - 2 * (prob * extra).sum() / squares
                slow += [float(dice) * weight] if valid else []
    assert len(slow) > 3
    assert losses["loss_mask"].item() == pytest.approx(np.mean(crosses), abs=1e-6)
    assert losses["loss_mask_extra"].item() == pytest.approx(0.5 * np.mean(slow), abs=1e-6)


@pytest.mark.parametrize(
    ("mode", "start", "kept"),
    [
        ("any", 0, [1, 0, 1, 0, 0, 1]),
        ("both", 0, [1, 1, 1, 0, 1, 1]),
        ("any", 8, [1, 1, 1, 1, 1, 1]),
    ],
    ids=["any", "both", "before the start"],
)
def test_the_rois_that_fit_badly_get_no_gradient_at_all(
    mode: Any, start: int, kept: list[int]
) -> None:
    drop = RoiDrop(enabled=True, mode=mode, cls=4.0, reg=1.0, start=start)
    predictor = BoxPredictor(config_of(Train(**SMALL), 3), ShapeSpec(channels=8))
    predictor.drop = drop
    found = Instances((64, 64))
    found.proposal_boxes = Boxes(torch.tensor([[10.0, 10, 30, 30]] * 6))
    found.gt_boxes = found.proposal_boxes
    found.gt_classes = torch.tensor([0, 1, 3, 2, 1, 2])  # 3: background
    logits, deltas = torch.zeros(6, 4), torch.zeros(6, 12)
    logits[torch.arange(6), found.gt_classes] = 2.0
    logits[[1, 3], [1, 2]] = -6.0  # two labels that do not fit
    deltas[3, 8:12], deltas[4, 4:8] = 4.0, 4.0  # and two boxes, one of them of these
    deltas[5, 8:12] = 0.2
    logits.requires_grad_(), deltas.requires_grad_()
    with EventStorage(start_iter=5) as storage:
        losses = predictor.losses((logits, deltas), [found])
        share, of_objects = (storage.history(name).latest() for name in DROPPED)
    torch.autograd.backward(list(losses.values()))
    assert logits.grad is not None
    assert deltas.grad is not None
    assert (logits.grad.abs().sum(dim=1) > 0).tolist() == [bool(keep) for keep in kept]
    moved = (deltas.grad.abs().sum(dim=1) > 0).tolist()
    assert moved == [bool(kept[i]) and i in (3, 4, 5) for i in range(6)]
    assert share == pytest.approx(1 - sum(kept) / 6)
    assert of_objects == pytest.approx(1 - (sum(kept) - kept[2]) / 5)  # 2 is background
    each = torch.nn.functional.cross_entropy(logits, found.gt_classes, reduction="none")
    assert losses["loss_cls"].item() == pytest.approx(
        (each * torch.tensor(kept)).sum().item() / 6, abs=1e-6
    )
