"""Every equation against tests/golden/sapnet.json, in both readings where there are two."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.mil import bms, mps, pdg, pnpg, prm, psm

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "sapnet.json").read_text())["cases"]


def tensor(values: Any) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def close(seen: torch.Tensor, wanted: Any, atol: float = 1e-5) -> None:
    np.testing.assert_allclose(seen.detach().numpy(), np.array(wanted), rtol=1e-4, atol=atol)


PDG_READINGS = [
    ("pdg", "code_sqrt_contains"),
    ("pdg", "paper_euclid_contains"),
    ("pdg", "paper_euclid_iou_overlap"),
    ("pdg_edge", "code_sqrt_contains"),
    ("pdg_edge", "paper_euclid_contains"),
]


@pytest.mark.parametrize(("case", "reading"), PDG_READINGS)
def test_pdg(case: str, reading: str) -> None:
    inputs, expected = GOLDEN[case]["inputs"], GOLDEN[case]["expected"][reading]
    boxes, points = tensor(inputs["bags"]), tensor(inputs["points"])
    labels = torch.tensor(inputs["labels"])
    all_valid = torch.ones(boxes.shape[:2], dtype=torch.bool)
    bags = (boxes, all_valid) if reading.endswith("iou_overlap") else None
    hits = pdg.bags_touched(boxes, *bags) if bags else pdg.points_inside(boxes, points)
    summed = pdg.neighbour_distance(hits, points, labels, root="sqrt" in reading)
    close(summed, expected["W_dis"], atol=1e-4)
    distance = "sqrt" if "sqrt" in reading else "euclid"
    raw = pdg.guidance(boxes, points, labels, distance=distance, min_distance=0, bags=bags)
    close(raw, expected["S_dis_raw"])
    for key, wanted in expected.items():
        if key.startswith("S_dis_d"):
            close(raw ** float(key.removeprefix("S_dis_d")), wanted)


def mil_inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, dict[str, Any]]:
    case = GOLDEN["mil_losses_small"]
    inputs = case["inputs"]
    cls, ins = tensor(inputs["cls_logits"]), tensor(inputs["ins_logits"])
    labels = torch.tensor(inputs["labels"])
    return cls, ins, labels, torch.ones(cls.shape[:2], dtype=torch.bool), case


def test_psm_scores_and_losses() -> None:
    cls, ins, labels, valid, case = mil_inputs()
    expected, usable = case["expected"], torch.ones(2, dtype=torch.bool)
    close(psm.class_scores(cls), expected["S_cls_softmax"])
    close(psm.instance_scores(ins, valid), expected["S_ins_softmax_over_bag"])
    bags = psm.bag_scores(psm.proposal_scores(cls, ins, valid))
    close(bags, expected["S_hat_no_pdg"])
    loss = psm.psm_loss(bags, labels, usable)
    close(loss, expected["psm_loss_weight1_no_pdg__authors_code"])
    close(0.25 * loss, expected["psm_loss_weight0.25__authors_code"])


def test_psm_with_a_masked_proposal() -> None:
    cls, ins, labels, _, case = mil_inputs()
    valid = tensor(case["inputs"]["valid_masked_variant"]).bool()
    close(psm.instance_scores(ins, valid), case["expected"]["S_ins_masked"])
    bags = psm.bag_scores(psm.proposal_scores(cls, ins, valid))
    loss = psm.psm_loss(bags, labels, torch.ones(2, dtype=torch.bool))
    close(loss, case["expected"]["psm_loss_masked_proposal__authors_code"])


def test_psm_with_pdg_in_the_score() -> None:
    cls, ins, labels, valid, case = mil_inputs()
    guidance, expected = tensor(case["inputs"]["S_dis_after_d"]), case["expected"]
    scores = psm.proposal_scores(cls, ins, valid, guidance=guidance)
    close(psm.bag_scores(scores), expected["S_hat_with_pdg_paper__formula"])
    loss = psm.psm_loss(psm.bag_scores(scores), labels, torch.ones(2, dtype=torch.bool))
    close(loss, expected["psm_loss_with_pdg_paper__formula"])
    assert psm.psm_selection(scores, labels).tolist() == expected["selected_index_paper"]


def test_prm_bags_of_the_small_case() -> None:
    cls, ins, labels, valid, case = mil_inputs()
    bags = prm.positive_bags(cls, ins, valid)
    close(cls.sigmoid(), case["expected"]["prm_S_cls_sigmoid"])
    close(bags, case["expected"]["prm_S_hat_sigmoid"])
    weights = tensor(case["inputs"]["prm_weight_inner_product"])
    loss = prm.positive_loss(bags, labels, weights)
    close(loss, case["expected"]["prm_pos_loss_weight1__authors_code"])
    close(0.25 * loss, case["expected"]["prm_pos_loss_alpha0.25__authors_code"])


def test_focal() -> None:
    case = GOLDEN["gfocal"]
    close(prm.focal(tensor(case["inputs"]["p"]), tensor(case["inputs"]["q"])), case["expected"])


@pytest.mark.parametrize(
    ("norm", "total", "negative"),
    [
        ("kept", "formula_L_prm_total_paper", "formula_0.75_L_neg_div_kept_U"),
        ("objects", "authors_code_total", "authors_code_0.75_L_neg_divided_by_N_objects"),
    ],
)
def test_prm_losses(norm: str, total: str, negative: str) -> None:
    inputs, expected = GOLDEN["prm_losses"]["inputs"], GOLDEN["prm_losses"]["expected"]
    cls, ins = tensor(inputs["pos_cls_logits"]), tensor(inputs["pos_ins_logits"])
    weights = tensor(inputs["psm_bag_score_gt_class"])
    bags = prm.positive_bags(cls, ins, torch.ones(cls.shape[:2], dtype=torch.bool))
    positive = prm.positive_loss(bags, torch.tensor(inputs["labels"]), weights)
    close(0.25 * positive, expected["authors_code_alpha_L_pos"])
    close(weights.mean(), expected["formula_beta"])
    keep = tensor(inputs["neg_keep"])
    logits = tensor(inputs["neg_cls_logits"])
    loss = prm.negative_loss(logits, keep, beta=weights.mean(), objects=2, norm=norm)
    close(0.75 * loss, expected[negative])
    close(0.25 * positive + 0.75 * loss, expected[total])


BMS_CASES = GOLDEN["bms"]["cases"]


@pytest.mark.parametrize("case", BMS_CASES, ids=[case["name"] for case in BMS_CASES])
@pytest.mark.parametrize(
    ("mode", "key", "tolerance"),
    [
        ("code", "expected_authors_code", 2.0),
        ("paper", "expected_formula_algorithm2_literal", 0.0),
    ],
)
def test_bms(case: dict[str, Any], mode: str, key: str, tolerance: float) -> None:
    bag = tensor(case["bag"])[None]
    mined, _ = bms.mined_boxes(
        bag[:, case["selected_index"]],
        bag[:, :3],
        torch.ones(1, 3, dtype=torch.bool),
        bms.Thresholds(0.6, 0.3, tolerance),
        mode=mode,
    )
    close(mined[0], case[key], atol=2e-3)


@pytest.mark.parametrize("case", GOLDEN["ppg"]["cases"], ids=["clean", "encloses"])
def test_ppg(case: dict[str, Any]) -> None:
    scales = pnpg.one_way(
        tensor([case["S_dis_raw"]]),
        expand_step=0.01,
        expand_count=15,
        fine_step=0.005,
        fine_first=16,
        fine_count=5,
        shrink_step=0.005,
    )
    close(scales[0], case["scales"])
    boxes = pnpg.clamped(pnpg.scaled_boxes(tensor([case["box_psm"]]), scales), None)
    close(boxes[0], case["boxes"], atol=2e-3)


@pytest.mark.parametrize("case", GOLDEN["ppg"]["cases"], ids=["clean", "encloses"])
def test_ppg_as_printed(case: dict[str, Any]) -> None:
    """Eq. 4 by hand for the same boxes: centre +- half a side times 1 +- v / S_dis, d = 0.015."""
    x0, y0, x1, y1 = case["box_psm"]
    dis = case["S_dis_raw"] ** 0.015
    scales = pnpg.both_ways(tensor([dis]), step=0.05, count=2)
    boxes = pnpg.scaled_boxes(tensor([case["box_psm"]]), scales)
    wanted = []
    for v in (0.05, 0.1, -0.05, -0.1):
        half_width, half_height = ((b - a) / 2 * (1 + v / dis) for a, b in ((x0, x1), (y0, y1)))
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        wanted.append([x - half_width, y - half_height, x + half_width, y + half_height])
    close(boxes[0], wanted, atol=2e-3)


@pytest.mark.parametrize("image", [0, 1])
def test_npg(image: int) -> None:
    inputs, expected = GOLDEN["npg"]["inputs"], GOLDEN["npg"]["expected"]
    size = inputs["images"][image]
    drawn = pnpg.background_boxes(tensor(inputs["uniforms"][image]), (size["H"], size["W"]))
    positives = tensor(inputs["positive_boxes_per_image"][image])
    per_bag = positives.reshape(-1, 6, 4)
    first = sum(len(inputs["positive_boxes_per_image"][i]) // 6 for i in range(image))
    chosen = inputs["psm_selected_index"][first : first + len(per_bag)]
    selected = per_bag[torch.arange(len(per_bag)), torch.tensor(chosen)]
    parts = pnpg.centre_parts(selected, min_area=64 * 64)
    close(torch.cat([drawn, parts]), expected["boxes"][image], atol=2e-3)
    keep = pnpg.is_background(drawn, positives, t_neg1=0.3)
    wanted = expected["keep"][image]
    assert keep.int().tolist() == wanted[: len(drawn)]
    assert wanted[len(drawn) :] == [1] * len(parts)


def test_mps_choice() -> None:
    case = GOLDEN["mps_choice"]
    ranking = case["inputs"]["rank_order_of_6_masks_by_prm_score"]
    for chosen in (4, 0):
        wanted = case["expected"][f"paper_if_mask_prm_is_{chosen}"]
        assert prm.runners_up(ranking, chosen, 3) == wanted
        code = prm.runners_up(ranking, chosen, 3, mode="code")
        assert code == case["expected"]["code_always"]


def test_dice() -> None:
    inputs = GOLDEN["dice"]["inputs"]
    close(
        mps.dice_loss(tensor(inputs["prob"]), tensor(inputs["target"])), GOLDEN["dice"]["expected"]
    )


def test_mps_weight() -> None:
    inputs = GOLDEN["mps_weight"]["inputs"]
    others = tensor([inputs[f"dice_sam_rank{rank}"] for rank in (1, 3, 5)])
    seen = mps.mask_loss(tensor(inputs["dice_prm"]), others)
    close(seen, GOLDEN["mps_weight"]["expected"]["loss_mask"])


@pytest.mark.parametrize("image", [0, 1])
def test_mask_mapping(image: int) -> None:
    expected = GOLDEN["mask_mapping"]["expected"]
    ranked = np.array(expected["ranked"][image]).T  # (objects, 6) numbers in the image's list
    for i, chosen in enumerate(expected["mask_prm"][image]):
        ranking, own = (ranked[i] - 6 * i).tolist(), chosen - 6 * i
        assert sorted(ranking) == list(range(6))
        code = prm.runners_up(ranking, own, 3, mode="code")
        assert [6 * i + slot for slot in code] == ranked[i, [1, 3, 5]].tolist()
        paper = prm.runners_up(ranking, own, 3)
        assert own not in paper
        assert (paper == code) == (own == ranking[0])


def test_mask_mapping_of_the_first_image_has_a_mask_that_is_not_the_best() -> None:
    expected = GOLDEN["mask_mapping"]["expected"]
    assert expected["mask_prm"][0][2] == expected["ranked"][0][1][2]  # rank 1: BMS moved the box


def test_every_case_is_tried_here_or_where_its_function_lives() -> None:
    here = Path(__file__).read_text()
    elsewhere = {"fpn_level", "qc_point", "metrics"}  # learning, geometry, metrics
    tested = {name for name in GOLDEN if f'GOLDEN["{name}"]' in here or f'("{name}", ' in here}
    assert tested | elsewhere == set(GOLDEN)
