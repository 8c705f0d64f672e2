"""BMS on the bags of an image: which boxes are mined, and from which proposals.

SAPNet, Sec. 3.4; the algorithm is in `stages.mil.bms`. The paper mines the boxes of PRM alone; the
authors' code mines those of PSM too (`refine.prm.bms.stages`), before PPG scales them. Their PPG
then looks for a proposal close to the mined box to learn its S_dis, and falls back to the last
proposal for every box that BMS moved: a bug, not copied. Here PPG starts from the mined box itself.
"""

import torch
from torch import Tensor

from stages.learning.bags import ImageBags
from stages.mil.bms import Thresholds, mined_boxes
from stages.mil.pnpg import clamped
from stages.settings.mining import Mining


def mined(
    selected: Tensor, bags: ImageBags, scores: Tensor, bms: Mining, *, stage: str
) -> tuple[Tensor, Tensor]:
    """Boxes mined over the k best originals (paper) or the first k stored (authors' code).

    Parameters
    ----------
    selected : (n, 4) px. scores : (n, m) of the originals, below 0 where not valid.
    stage : "psm" or "prm", whose boxes these are; left alone where `bms` does not mine it.

    Returns
    -------
    boxes : (n, 4), cut at the image. rules : (n,) index into bms.RULES.
    """
    mode = bms.mode if bms.mines(stage) else "none"
    k = min(bms.k, scores.shape[1])
    first = torch.arange(k, device=scores.device).expand(len(scores), k)
    ranked = scores.argsort(dim=1, descending=True, stable=True)[:, :k]
    order = first if mode == "code" else ranked
    candidates = bags.boxes.gather(1, order[..., None].expand(-1, -1, 4))
    limits = Thresholds(bms.t_min1, bms.t_min2, bms.tolerance)
    usable = bags.valid.gather(1, order)
    boxes, rules = mined_boxes(selected, candidates, usable, limits, mode=mode)
    return clamped(boxes, bags.size), rules


def mined_psm(bags: ImageBags, bms: Mining) -> tuple[Tensor, Tensor]:
    """box_psm as PPG takes it, (n, 4) px and (n,) rules: mined where `bms` says so.

    Raises
    ------
    RuntimeError : it is to be mined, but the bags were read without select's scores.
    """
    box_psm = bags.box_psm()
    if not bms.mines("psm"):
        return box_psm, torch.zeros(len(box_psm), dtype=torch.long, device=box_psm.device)
    return mined(box_psm, bags, selection_scores(bags), bms, stage="psm")


def selection_scores(bags: ImageBags) -> Tensor:
    """Select's scores, (n, m), below 0 where not valid.

    Raises
    ------
    RuntimeError : the bags were read without them.
    """
    if bags.scores is None:
        raise RuntimeError("these bags were read without the table of selections.")
    return bags.scores.masked_fill(~bags.valid, -1.0)
