"""BMS by stage, and the pseudo-labels of a pipeline without PRM."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from stages.learning.adapter import Adapter
from stages.learning.bags import ImageBags
from stages.learning.mining import mined_psm
from stages.learning.pnpg_step import enlarged, negatives
from stages.learning.refine_step import refine_image
from stages.learning.refinement import unrefined
from stages.learning.two_branch import TwoBranch
from stages.settings.refine import Refine
from stages.settings.refiners.as_it_is import Bms as Mined
from stages.settings.refiners.as_it_is import Settings as AsItIs
from stages.settings.refiners.prm import Bms, Npg
from stages.settings.refiners.prm import Settings as Prm
from stages.settings.select import Select
from stages.settings.selectors.psm import Features
from stages.settings.selectors.psm import Settings as Psm

FEATURES = Features(channels=16, hidden=32, roi_size=3)
SELECT = Select(psm=Psm(features=FEATURES))
SMALL = [50.0, 50, 90, 90]
LARGER = [48.0, 48, 92, 92]  # IoU 0.83: rule overlap
FAR = [0.0, 0, 20, 20]
HUGE = [0.0, 0, 120, 120]


def bags(
    scores: list[float], *, chosen: int = 0, valid: tuple[bool, ...] = (True,) * 4
) -> ImageBags:
    """One object whose second proposal, or fourth, is to be mined."""
    return ImageBags(
        image_id=7,
        bag_ids=(1,),
        boxes=torch.tensor([[SMALL, FAR, HUGE, LARGER]]),
        valid=torch.tensor([valid]),
        quality=torch.full((1, 4), 0.5),
        points=torch.tensor([[70.0, 70.0]]),
        labels=torch.tensor([0]),
        lengths=torch.tensor([4]),
        size=(128.0, 128.0),
        chosen=torch.tensor([chosen]),
        bag_scores=torch.tensor([0.9]),
        scores=torch.tensor([scores]),
    )


def settings(*stages: str, mode: str = "paper", k: int = 3) -> Refine:
    """Both refiners' keys: PRM's boxes are mined in `stages`, select's where that names psm."""
    own = Mined(mode=mode if "psm" in stages else "none", k=k)
    prm = Prm(bms=Bms(mode=mode, k=k, stages=stages))
    return Refine(prm=prm, as_it_is=AsItIs(bms=own))


def test_without_mining_the_answer_is_what_select_chose() -> None:
    given = bags([0.2, 0.1, 0.4, 0.3], chosen=2)
    answer = unrefined(given, settings("prm"))
    for box in (answer.box_psm, answer.box_select, answer.box_prm):
        assert box.tolist() == [HUGE]
    assert answer.chosen.tolist() == answer.chosen_select.tolist() == [2]
    assert answer.rules.tolist() == [0]
    assert answer.score.tolist() == pytest.approx([0.4])
    assert answer.extra == [[3, 0, 1]]  # of the others the highest, the middle, the lowest


def test_select_s_own_choice_stays_even_where_another_box_is_equal() -> None:
    given = bags([0.2, 0.1, 0.4, 0.3], chosen=3)
    twins = replace(given, boxes=given.boxes[:, [3, 1, 2, 3]])
    assert unrefined(twins, settings("psm", mode="none")).chosen.tolist() == [3]


def test_the_mined_box_takes_the_mask_closest_to_it() -> None:
    answer = unrefined(bags([0.9, 0.1, 0.2, 0.3]), settings("psm"))
    iou = 40**2 / 44**2
    wanted = [(a + iou * b) / (1 + iou) for a, b in zip(LARGER, SMALL, strict=True)]
    assert answer.box_prm[0].tolist() == pytest.approx(wanted, abs=1e-4)
    assert answer.box_psm[0].tolist() == pytest.approx(wanted, abs=1e-4)
    assert answer.box_select.tolist() == [SMALL]
    assert answer.rules.tolist() == [1]
    assert answer.chosen.tolist() == [3]
    assert answer.chosen_select.tolist() == [0]
    assert answer.score.tolist() == pytest.approx([0.9])  # of the choice, not of the closest


@pytest.mark.parametrize(
    ("mode", "k", "rule"), [("paper", 2, 1), ("code", 2, 0), ("code", 3, 0), ("code", 4, 1)]
)
def test_candidates_are_ranked_by_select_or_taken_as_stored(mode: str, k: int, rule: int) -> None:
    answer = unrefined(bags([0.9, 0.1, 0.2, 0.3]), settings("psm", mode=mode, k=k))
    assert answer.rules.tolist() == [rule]


def test_empty_masks_are_neither_mined_nor_runners_up() -> None:
    valid = (True, True, True, False)
    answer = unrefined(bags([0.9, 0.1, 0.2, 0.3], valid=valid), settings("psm"))
    assert answer.rules.tolist() == [0]
    assert answer.extra == [[2, 1]]
    nothing = unrefined(bags([0.0] * 4, valid=(False,) * 4), settings("psm"))
    assert nothing.chosen.tolist() == [0]
    assert nothing.score.tolist() == [0]
    assert nothing.extra == [[]]


def test_no_object_has_no_answer() -> None:
    given = bags([0.9, 0.1, 0.2, 0.3])
    names = ("boxes", "valid", "quality", "points", "labels", "lengths")
    cut = {n: getattr(given, n)[:0] for n in (*names, "chosen", "bag_scores", "scores")}
    answer = unrefined(replace(given, bag_ids=(), **cut), settings("psm"))
    assert answer.chosen.shape == (0,)
    assert answer.extra == []


def test_ppg_starts_from_the_mined_box_and_negative_parts_from_the_unmined() -> None:
    given = bags([0.9, 0.1, 0.2, 0.3])
    plain, mining = settings("prm"), settings("psm", "prm")
    base, _ = mined_psm(given, mining.prm.bms)
    assert base[0].tolist() != SMALL
    seen = enlarged(given, mining, SELECT).boxes[0, 4:]
    torch.testing.assert_close((seen[:, :2] + seen[:, 2:]) / 2, torch.full((20, 2), 70.0))
    width = base[0, 2] - base[0, 0]
    torch.testing.assert_close(seen[0, 2] - seen[0, 0], width * 1.01)
    npg = Npg(background=0, part_mode="center", part_min_area=1.0)
    rng = np.random.default_rng(0)
    parts = [
        negatives(given, Refine(prm=s.prm.model_copy(update={"npg": npg})), rng)
        for s in (plain, mining)
    ]
    assert parts[0].tolist() == parts[1].tolist() == [[60, 60, 80, 80]]


def test_prm_is_mined_only_where_the_stages_name_it() -> None:
    torch.manual_seed(0)
    network = TwoBranch(FEATURES, {"prm": 3}, Adapter(8, 16), (8.0,)).eval()
    pixels = torch.rand(1, 8, 16, 16)
    limits = {"t_min1": 0.0, "t_min2": 0.0, "k": 4}
    given = bags([0.9, 0.1, 0.2, 0.3])
    for stages, box in ((("prm",), SMALL), (("psm",), None), ((), SMALL)):
        mining = Refine(prm=Prm(bms=Bms(stages=stages, **limits)))
        answer = refine_image(network, pixels, given, mining, SELECT)
        mined = answer.rules.tolist() != [0]
        assert not mined or "prm" in stages
        assert torch.equal(answer.box_prm, answer.box_select) or mined
        assert (answer.box_psm[0].tolist() == box) == (box is not None)


def test_bags_without_scores_cannot_be_mined() -> None:
    given = replace(bags([0.0] * 4), scores=None)
    with pytest.raises(RuntimeError, match="selections"):
        unrefined(given, settings("psm"))
