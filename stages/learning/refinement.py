"""What a refiner makes of the bags of one image: boxes, and which proposals stand for them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from stages.learning.bags import ImageBags
from stages.learning.mining import mined_psm, selection_scores
from stages.mil import prm
from stages.settings.refine import Refine


@dataclass(frozen=True, slots=True)
class Refinement:
    """The answer for one image, boxes in px of the bags' grid.

    box_psm : (n, 4), mined where `bms.stages` has psm. box_select, box_prm : (n, 4).
    rules : (n,) index into bms.RULES. chosen, chosen_select : (n,) slots of the masks closest to
    box_prm and to box_select. score : (n,) of box_select: PRM's, or select's where there is no PRM.
    extra : per object the slots of its runner-up masks.
    scores : (n, m) of the originals, by the same stage as `score`; below 0 where not valid.
    """

    box_psm: Tensor
    box_select: Tensor
    box_prm: Tensor
    rules: Tensor
    chosen: Tensor
    chosen_select: Tensor
    score: Tensor
    extra: list[list[int]]
    scores: Tensor

    def boxes(self, factor: float) -> dict[str, list[list[float]]]:
        """Boxes of each step of the trail; factor : pixels of this grid per pixel of the image."""
        steps = {"psm": self.box_psm, "prm": self.box_select, "prm_bms": self.box_prm}
        return {name: (boxes.cpu() / factor).tolist() for name, boxes in steps.items()}


def unrefined(bags: ImageBags, settings: Refine) -> Refinement:
    """Select's choice as the pseudo-label: PSM alone (SAPNet, Table 4).

    The box is mined where `as_it_is.bms` says so; its mask is the closest proposal then, and
    select's own choice otherwise. Lengths in px, such as the tolerance of BMS, are those of the
    bags' grid.
    """
    assert bags.chosen is not None
    scores = selection_scores(bags)
    box_psm, rules = mined_psm(bags, settings.as_it_is.bms)
    closest = prm.closest_proposal(box_psm, bags.boxes, bags.valid)
    chosen = torch.where(rules > 0, closest, bags.chosen)
    score = scores.gather(1, bags.chosen[:, None])[:, 0].clamp(min=0)
    extra = runners_up(scores, chosen, settings.mps)
    choices = (rules, chosen, bags.chosen, score, extra, scores)
    return Refinement(box_psm, bags.box_psm(), box_psm, *choices)


def runners_up(scores: Tensor, chosen: Tensor, mps: str) -> list[list[int]]:
    """MPS: slots of the highest, middle and lowest other proposal of each bag.

    Parameters
    ----------
    scores : (n, m), below 0 where not valid. chosen : (n,) slots. mps : as `refine.mps`.
    """
    order = scores.argsort(dim=1, descending=True, stable=True)
    rankings = zip(order.tolist(), (scores >= 0).sum(dim=1).tolist(), chosen.tolist(), strict=True)
    return [prm.runners_up(row[:valid], one, 3, mode=mps) for row, valid, one in rankings]
