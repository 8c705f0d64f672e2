"""The hooks' formulas: golden numbers, neutral settings, and what must not leak."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from stages.engines.hooks import (
    DropWatch,
    box_losses,
    dropped_shares,
    extra_mask_loss,
    is_dropping,
    kept_rois,
    mean_shares,
    weighted_mask_loss,
)
from stages.settings.train import RoiDrop

GOLDEN = Path(__file__).parents[2] / "golden"
BOXCASEG = json.loads((GOLDEN / "boxes.json").read_text())["mask_loss_with_ignored"]
WEAKSAM = json.loads((GOLDEN / "weaksam.json").read_text())["roi_drop"]


def golden_masks() -> tuple[Tensor, Tensor, Tensor]:
    """Logits of each positive's class, goals and agreements."""
    labels = torch.tensor(BOXCASEG["proposal_labels"])
    positive = torch.nonzero(labels > 0)[:, 0]
    logits = torch.tensor(BOXCASEG["mask_logits_RCHW"])[positive, labels[positive]]
    agreement = torch.tensor(BOXCASEG["agreement_per_proposal"], dtype=torch.float64)[positive]
    return logits, torch.tensor(BOXCASEG["mask_targets_positive_PHW"]), agreement


def test_ignored_masks_as_in_boxcaseg() -> None:
    logits, goals, agreement = golden_masks()
    weights = (agreement > 0.95).float()
    assert weights.tolist() == [1, 0, 0]  # 0.95 itself is ignored
    assert weighted_mask_loss(logits, goals, weights).item() == pytest.approx(
        BOXCASEG["loss"], abs=1e-6
    )


@pytest.mark.parametrize("rois", [0, 3])
def test_without_a_trusted_mask_the_loss_is_0_and_has_a_gradient(rois: int) -> None:
    logits = torch.randn(rois, 2, 2, requires_grad=True)
    loss = weighted_mask_loss(logits, torch.rand(rois, 2, 2), torch.zeros(rois))
    loss.backward()
    assert loss.item() == BOXCASEG["loss_all_ignored"]
    assert logits.grad is not None


def test_masks_of_weight_1_have_the_stock_loss_and_others_their_share() -> None:
    logits, goals, _ = golden_masks()
    stock = F.binary_cross_entropy_with_logits(logits, goals)
    assert weighted_mask_loss(logits, goals, torch.ones(3)).item() == pytest.approx(stock.item())
    single = [F.binary_cross_entropy_with_logits(logits[i], goals[i]).item() for i in (0, 2)]
    weighted = weighted_mask_loss(logits, goals, torch.tensor([0.25, 0.0, 2.0])).item()
    assert weighted == pytest.approx((0.25 * single[0] + 2 * single[1]) / 2)


def test_not_even_a_nan_leaks_from_an_ignored_mask() -> None:
    logits, goals, _ = golden_masks()
    spoiled = goals.clone()
    spoiled[1] = math.nan
    logits.requires_grad_()
    loss = weighted_mask_loss(logits, spoiled, torch.tensor([1.0, 0.0, 1.0]))
    loss.backward()
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def slow_extra_loss(
    logits: Tensor, goals: Tensor, valid: Tensor, weights: Tensor, gamma: float
) -> float:
    found, masks = [], logits.detach().sigmoid()
    for r in range(len(logits)):
        for k in range(goals.shape[1]):
            if valid[r, k] and weights[r] > 0:
                mask, goal = masks[r], goals[r, k]
                overlap = 2 * (mask * goal).sum() / ((mask**2).sum() + (goal**2).sum())
                found.append(float(weights[r] * (1 - overlap)))
    return gamma * sum(found) / len(found) if found else 0.0


@pytest.mark.parametrize(
    ("rois", "valid", "weights"),
    [
        (0, [], []),
        (1, [[False] * 3], [1.0]),
        (1, [[True, False, True]], [0.5]),
        (3, [[True] * 3, [True] * 3, [False, True, False]], [1.0, 0.0, 0.25]),
    ],
    ids=["none", "nothing_there", "one", "many"],
)
def test_extra_masks_against_a_loop(rois: int, valid: Any, weights: Any) -> None:
    torch.manual_seed(0)
    logits = torch.randn(rois, 4, 4, requires_grad=True)
    goals = (torch.rand(rois, 3, 4, 4) > 0.4).float()
    there = torch.tensor(valid, dtype=torch.bool).reshape(rois, 3)
    loss = extra_mask_loss(logits, goals, there, torch.tensor(weights), gamma=0.25)
    wanted = slow_extra_loss(logits, goals, there, torch.tensor(weights), 0.25)
    assert loss.item() == pytest.approx(wanted, abs=1e-3)  # dice has a smoothing term
    loss.backward()
    assert logits.grad is not None


def test_roi_drop_as_in_weaksam() -> None:
    loss_cls = torch.tensor(WEAKSAM["loss_cls"])
    loss_reg = torch.tensor(WEAKSAM["loss_reg_sum4"])
    limits = {"enabled": True, "start": 0, "cls": WEAKSAM["tau_cls"], "reg": WEAKSAM["tau_reg"]}
    kept = kept_rois(loss_cls, loss_reg, RoiDrop(**limits))
    assert kept.tolist() == [bool(d) for d in WEAKSAM["expected_d_paper"]]
    dropped = [value.item() for value in box_losses(loss_cls, loss_reg, kept)]
    wanted = [WEAKSAM["expected_loss_cls"], WEAKSAM["expected_loss_reg"]]
    assert dropped == pytest.approx(wanted, abs=1e-6)
    stock = [value.item() for value in box_losses(loss_cls, loss_reg, None)]
    wanted = [WEAKSAM["loss_cls_no_drop"], WEAKSAM["loss_reg_no_drop"]]
    assert stock == pytest.approx(wanted, abs=1e-6)
    both = kept_rois(loss_cls, loss_reg, RoiDrop(**limits, mode="both"))
    assert both.tolist() == [bool(d) for d in WEAKSAM["expected_d_authors_code_AND_fg_only"]]


def test_rois_are_dropped_from_the_start_on() -> None:
    rule = WEAKSAM["start_iter_rule"]
    drop = RoiDrop(enabled=True, start=rule["start"])
    assert [is_dropping(drop, step) for step in rule["iter"]] == rule["active"]
    assert not is_dropping(RoiDrop(enabled=False, start=0), 5)


def test_without_rois_the_box_losses_are_0() -> None:
    none = torch.zeros(0)
    assert [v.item() for v in box_losses(none, none, none.bool())] == [0, 0]


@pytest.mark.parametrize(
    ("shares", "warnings"),
    [
        ([], 0),
        ([0.31] * 4, 0),  # all before the start
        ([0.0] * 4 + [0.29] * 4, 0),
        ([0.0] * 4 + [0.9, 0.0] * 2, 1),  # means count, not single steps
        ([0.0] * 4 + [0.5, 0.0] * 2, 0),
        ([0.0] * 4 + [0.31] * 9, 1),  # said once
    ],
    ids=["none", "early", "few", "mean", "single", "once"],
)
def test_dropping_more_than_30_percent_is_said_once(
    shares: list[float], warnings: int, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = DropWatch(RoiDrop(enabled=True, start=4), every=2)
    for step, share in enumerate(shares):
        watch.see(step, {"dropped": share, "dropped_objects": 0.0})
    assert capsys.readouterr().err.count("warning: RoI drop") == warnings


def test_dropping_the_objects_is_said_though_they_are_few(
    capsys: pytest.CaptureFixture[str],
) -> None:
    watch = DropWatch(RoiDrop(enabled=True, start=0), every=1)
    watch.see(0, {"dropped": 0.25, "dropped_objects": 1.0})
    said = "leaves out 25% of the RoIs of steps 1 to 1, and 100% of those that hold an object"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kept", "labelled", "wanted"),
    [
        ([], [], (0, 0)),
        (None, [1, 0], (0, 0)),
        ([1, 1, 0, 1], [0, 0, 1, 0], (0.25, 1)),
        ([0, 1], [0, 0], (0.5, 0)),
    ],
    ids=["no RoIs", "before the start", "the only object", "no objects"],
)
def test_shares_are_of_all_rois_and_of_those_with_an_object(
    kept: list[int] | None, labelled: list[int], wanted: tuple[float, float]
) -> None:
    keep = None if kept is None else torch.tensor(kept).bool()
    shares = dropped_shares(keep, torch.tensor(labelled).bool())
    assert (shares["dropped"], shares["dropped_objects"]) == wanted


def test_the_dropped_shares_are_means_since_the_start() -> None:
    shares = [(1, 0), (2, 0.2), (3, 0.4)]
    lines = [{"step": s, "dropped": d, "dropped_objects": 2 * d} for s, d in shares]
    found = mean_shares(lines, RoiDrop(enabled=True, start=1))
    assert found == pytest.approx({"dropped": 0.3, "dropped_objects": 0.6})
    nothing = {"dropped": None, "dropped_objects": None}
    assert mean_shares(lines, RoiDrop(enabled=True, start=3)) == nothing
    assert mean_shares([{"step": 1}], RoiDrop()) == nothing
