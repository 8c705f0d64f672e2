"""Heads of WeakSAM against tests/golden/weaksam.json: WSDDN, OICR and MIST."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.mil import mist, oicr, wsddn

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "weaksam.json").read_text())


def tensor(values: Any) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def close(seen: torch.Tensor, wanted: Any) -> None:
    np.testing.assert_allclose(seen.numpy(), np.array(wanted), rtol=1e-4, atol=1e-5)


def test_wsddn() -> None:
    case = GOLDEN["wsddn"]
    cls, ins = tensor(case["cls_logits_RxC"]), tensor(case["det_logits_RxC"])
    scores = wsddn.class_shares(cls) * wsddn.proposal_shares(ins, [3])
    close(scores, case["expected_scores"])
    phi = wsddn.image_scores(scores, [3])
    close(phi[0], case["expected_image_scores"])
    tags = torch.tensor([[1, 0]])
    for reduction in ("sum", "mean"):
        loss = wsddn.mil_loss(phi, tags, reduction=reduction)
        close(loss[0], case[f"bce_{reduction}_label_1_0"])


def test_refine_loss() -> None:
    case = GOLDEN["refine_loss"]
    loss = oicr.refine_loss(
        tensor(case["logits"]), torch.tensor(case["labels"]), tensor(case["weights"])
    )
    close(loss, case["expected_mean_weighted_ce"])
    close(3 * loss, case["expected_branch0_lambda3"])


def test_the_best_of_each_class_with_its_regression_targets() -> None:
    case = GOLDEN["oicr_assign_wetectron"]
    boxes, scores = tensor(case["rois"]), tensor(case["source_score_cols_bg_A_B_C"])[:, 1:]
    tags = torch.tensor(case["image_labels_bg_A_B_C"])[1:]
    seeds = oicr.top1_seeds(scores, tags)
    found = oicr.assigned(boxes, seeds, strict=True, plus_one=True)
    assert found.labels.tolist() == case["expected_labels"]
    close(found.weights, case["expected_weights"])
    targets = mist.offsets(boxes, boxes[seeds.rows][found.seeds], plus_one=True)
    close(targets, case["expected_regression_targets_w10_10_5_5"])


def test_all_close_to_the_best_after_nms() -> None:
    case = GOLDEN["oicr_assign_wsod2code"]
    boxes, scores = tensor(case["rois"]), tensor(case["scores_no_bg"])
    seeds = oicr.multi_seeds(scores, torch.tensor(case["image_labels"]), boxes)
    close(boxes[seeds.rows], case["expected_seed_boxes"])
    assert seeds.classes.tolist() == case["expected_seed_classes"]
    close(seeds.scores, case["expected_seed_scores"])
    found = oicr.assigned(boxes, seeds)
    assert (found.labels - 1).tolist() == case["expected_labels"]  # there -1 is the background
    close(found.weights, case["expected_weights"])


@pytest.mark.parametrize("supervision", ["top1", "multi", "mist"])
def test_without_a_positive_class_nothing_is_learned(supervision: str) -> None:
    case, expected = GOLDEN["oicr_assign_wsod2code"], GOLDEN["oicr_assign_no_positive_class"]
    boxes, scores, tags = tensor(case["rois"]), tensor(case["scores_no_bg"]), torch.zeros(3)
    seeds = {
        "top1": lambda: oicr.top1_seeds(scores, tags),
        "multi": lambda: oicr.multi_seeds(scores, tags, boxes),
        "mist": lambda: mist.mist_seeds(scores, tags, boxes),
    }[supervision]()
    found = oicr.assigned(boxes, seeds)
    assert found.labels.tolist() == expected["expected_labels"]
    assert found.weights.tolist() == expected["expected_weights"]


@pytest.mark.parametrize("share", [0.15, 0.25])
def test_mist(share: float) -> None:
    case = GOLDEN["mist_assign"]
    expected = case[f"p{share}"]
    boxes, scores = tensor(case["rois"]), tensor(case["source_score_cols_bg_A_B"])[:, 1:]
    assert mist.candidates(len(boxes), share) == expected["k"]
    tags = torch.tensor(case["image_labels"])[1:]
    seeds = mist.mist_seeds(scores, tags, boxes, share=share, plus_one=True)
    assert seeds.rows.tolist() == expected["seeds_roi_idx"]
    found = oicr.assigned(boxes, seeds, plus_one=True)
    assert found.labels.tolist() == expected["expected_labels"]
    close(found.weights, expected["expected_weights"])
