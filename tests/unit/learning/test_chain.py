"""Both stages from fixed logits, in the paper's reading and the authors', against plain loops."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from stages.learning.bags import ImageBags
from stages.learning.joint_step import chosen_now
from stages.learning.pnpg_step import enlarged
from stages.learning.refine_step import refinement_of
from stages.learning.select_step import loss_of_logits, selection_of
from stages.mil import prm
from stages.settings.refine import Refine
from stages.settings.refiners.prm import Bms, Ppg
from stages.settings.refiners.prm import Settings as Prm
from stages.settings.select import Select
from stages.settings.selectors.psm import Features, Pdg
from stages.settings.selectors.psm import Settings as Psm

Box = list[float]
PLAIN: dict[str, Any] = {"pdg_exponent": 0.0, "quality_exponent": 0.0, "score": "softmax"}
READINGS: dict[str, tuple[Psm, Prm, str]] = {
    "paper": (
        Psm(
            features=Features(),
            pdg=Pdg(apply="score", exponent=0.015, min_distance=0.0),
            quality_exponent=0.0,
        ),
        Prm(**PLAIN, bms=Bms(mode="paper", stages=("prm",))),
        "paper",
    ),
    "code": (
        Psm(
            features=Features(),
            pdg=Pdg(apply="logits", distance="sqrt", exponent=0.015625, min_distance=0.0),
            quality_exponent=0.0,
        ),
        Prm(ppg=Ppg(clamp="zero"), bms=Bms(mode="code", stages=("psm", "prm")), **PLAIN),
        "code",
    ),
    "mixed": (
        Psm(
            features=Features(),
            pdg=Pdg(apply="selection", neighbour="bag", exponent=3.0, min_distance=25.0),
            quality_exponent=2.0,
            background=False,
        ),
        Prm(
            bms=Bms(mode="paper", stages=("psm",), k=2, tolerance=0.0),
            score="sigmoid",
            pdg_exponent=2.0,
            quality_exponent=1.0,
        ),
        "paper",
    ),
}


def crowd(seed: int) -> ImageBags:
    """Five objects of two classes with six proposals each around their points, some invalid."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(30, 90, (5, 2))
    half = rng.uniform(8, 40, (5, 6, 2))
    centre = points[:, None] + rng.uniform(-6, 6, (5, 6, 2))
    boxes = np.concatenate([centre - half, centre + half], axis=2).clip(0, 128)
    valid = rng.random((5, 6)) < 0.85
    valid[4] = seed % 2 == 0  # an object without masks
    return ImageBags(
        image_id=1,
        bag_ids=tuple(range(5)),
        boxes=torch.from_numpy(boxes),
        valid=torch.from_numpy(valid),
        quality=torch.from_numpy(rng.random((5, 6))),
        points=torch.from_numpy(points),
        labels=torch.from_numpy(rng.integers(0, 2, 5)),
        lengths=torch.full((5,), 6),
        size=(128.0, 128.0),
    )


def softmax(values: list[float]) -> list[float]:
    total = sum(math.exp(v) for v in values)
    return [math.exp(v) / total for v in values]


def iou_of(a: Box, b: Box) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inner = max(width, 0) * max(height, 0)
    areas = sum((c[2] - c[0]) * (c[3] - c[1]) for c in (a, b))
    return inner / (areas - inner) if inner else 0.0


class Loops:
    """The two stages as the paper tells them, one object after the other."""

    def __init__(self, bags: ImageBags, select: Psm, refine: Prm):
        self.bags, self.select, self.refine = bags, select, refine
        self.boxes, self.valid = bags.boxes.tolist(), bags.valid.tolist()
        self.points, self.labels = bags.points.tolist(), bags.labels.tolist()

    def hits(self, box: Box, j: int) -> bool:
        if self.select.pdg.neighbour == "bag":
            others = zip(self.boxes[j], self.valid[j], strict=True)
            return any(ok and iou_of(box, other) > 0 for other, ok in others)
        x, y = self.points[j]
        return box[0] < x < box[2] and box[1] < y < box[3]

    def raw(self, box: Box, i: int) -> float:
        total = 0.0
        for j, label in enumerate(self.labels):
            if j != i and label == self.labels[i] and self.hits(box, j):
                distance = math.dist(self.points[i], self.points[j])
                total += math.sqrt(distance) if self.select.pdg.distance == "sqrt" else distance
        least = self.select.pdg.min_distance
        return 1 / (1 + math.exp(-1 / max(total, least))) if total else 1.0

    def psm(self, cls: Any, ins: Any) -> tuple[float, list[int], list[float], list[list[float]]]:
        """L_psm with its weight, slots, bag scores, and scores of the own class."""
        pdg, losses, slots, sums, all_scores = self.select.pdg, [], [], [], []
        for i, label in enumerate(self.labels):
            dis = [self.raw(box, i) ** pdg.exponent for box in self.boxes[i]]
            live = [m for m in range(6) if self.valid[i][m]]
            share = {k: softmax([ins[i][m][k] for m in live]) for k in range(len(cls[i][0]))}
            summed = [0.0] * len(cls[i][0])
            own, scores = 0.0, [-1.0] * 6
            for place, m in enumerate(live):
                scaled = [c * (dis[m] if pdg.apply == "logits" else 1.0) for c in cls[i][m]]
                for k, p in enumerate(softmax(scaled)):
                    summed[k] += p * share[k][place] * (dis[m] if pdg.apply == "score" else 1.0)
                plain = softmax(cls[i][m])[label] * share[label][place]
                own += plain
                guided = dis[m] if pdg.apply in ("score", "selection") else 1.0
                scores[m] = plain * guided
                scores[m] *= self.bags.quality[i, m].item() ** self.select.quality_exponent
            if live:
                pairs = enumerate(summed)
                losses.append(-sum(math.log(p if k == label else 1 - p) for k, p in pairs))
            slots.append(scores.index(max(scores)))
            sums.append(own)
            all_scores.append(scores)
        return self.select.loss_weight * sum(losses) / max(len(losses), 1), slots, sums, all_scores

    def mined(self, box: Box, i: int, scores: list[float], stage: str) -> Box:
        bms = self.refine.bms
        if stage not in bms.stages:
            return box
        order = sorted(range(6), key=lambda m: -scores[m])[: bms.k]
        order = list(range(bms.k)) if bms.mode == "code" else order
        props = [self.boxes[i][m] for m in order if self.valid[i][m]]
        now, gate, t1, t2, first = box, self.area(box), bms.t_min1, bms.t_min2, False
        best = 0.0
        for prop in props:
            base = now if bms.mode == "code" else box
            iou = iou_of(prop, base)
            if self.area(prop) <= gate or (bms.mode == "code" and iou <= best):
                continue
            inside = all(
                (o - bms.tolerance < s) if bms.mode == "code" else (o - bms.tolerance <= s)
                for o, s in zip(
                    [*prop[:2], *(-v for v in prop[2:])],
                    [*base[:2], *(-v for v in base[2:])],
                    strict=True,
                )
            )
            if iou > t1:
                now = [(p + iou * b) / (1 + iou) for p, b in zip(prop, base, strict=True)]
                first = True
            elif iou > t2 and inside and (bms.mode == "code" or not first):
                now = [(iou * p + b) / (1 + iou) for p, b in zip(prop, base, strict=True)]
            else:
                continue
            if bms.mode == "code":
                gate, best = self.area(prop), iou
            elif iou > t1:
                t1 = iou
            else:
                t2 = iou
        return [min(max(v, 0), 128) for v in now]

    @staticmethod
    def area(box: Box) -> float:
        return (box[2] - box[0]) * (box[3] - box[1])

    def bag(self, i: int, base: Box) -> list[Box]:
        """The six originals and PPG's twenty."""
        raw = self.raw(base, i)
        scales = [1 + 0.01 * n for n in range(1, 16)]
        if raw == 1:
            scales += [1 + 0.005 * n for n in range(16, 21)]
        else:
            scales += [1 - 0.005 * n / raw for n in range(1, 6)]
        x, y = (base[0] + base[2]) / 2, (base[1] + base[3]) / 2
        w, h = (base[2] - base[0]) / 2, (base[3] - base[1]) / 2
        extra = [[x - s * w, y - s * h, x + s * w, y + s * h] for s in scales]
        limit = 128 if self.refine.ppg.clamp == "image" else math.inf
        return [*self.boxes[i], *([min(max(v, 0), limit) for v in box] for box in extra)]

    def prm(self, i: int, bag: list[Box], slot: int, cls: Any, ins: Any) -> list[float]:
        """Scores of the own class, -1 where not valid."""
        label, ok = self.labels[i], [*self.valid[i], *([any(self.valid[i])] * 20)]
        live = [m for m in range(26) if ok[m]]
        share = softmax([ins[i][m][label] for m in live])
        scores = [-1.0] * 26
        for place, m in enumerate(live):
            c = cls[i][m]
            own = softmax(c)[label]
            own = 1 / (1 + math.exp(-c[label])) if self.refine.score == "sigmoid" else own
            quality = self.bags.quality[i, m if m < 6 else slot].item()
            factor = self.raw(bag[m], i) ** self.refine.pdg_exponent
            scores[m] = own * share[place] * factor * quality**self.refine.quality_exponent
        return scores


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("reading", READINGS)
def test_both_stages_equal_the_loops(reading: str, seed: int) -> None:
    psm, second, mps = READINGS[reading]
    select, refine = Select(psm=psm), Refine(prm=second, mps=mps)
    bags, loops = crowd(seed), Loops(crowd(seed), psm, second)
    columns = 3 + int(psm.background)
    rng = torch.Generator().manual_seed(seed)
    cls, ins = torch.randn(2, 5, 6, columns, generator=rng, dtype=torch.float64) * 2
    wanted, slots, sums, scores = loops.psm(cls.tolist(), ins.tolist())
    loss, _ = loss_of_logits([(cls, ins)], [bags], select)
    assert loss.item() == pytest.approx(wanted)
    choice = selection_of(cls, ins, bags, select)
    assert choice.chosen.tolist() == slots
    assert choice.bag_score.tolist() == pytest.approx(sums)
    told = chosen_now(cls, ins, bags, select)
    plus = enlarged(told, refine, select)
    cls, ins = torch.randn(2, 5, 26, 3, generator=rng, dtype=torch.float64) * 2
    answer = refinement_of(cls, ins, plus, told, refine)
    for i in range(5):
        base = loops.mined(loops.boxes[i][slots[i]], i, scores[i], "psm")
        bag = loops.bag(i, base)
        assert answer.box_psm[i].tolist() == pytest.approx(base)
        np.testing.assert_allclose(plus.boxes[i].numpy(), bag, rtol=1e-6)
        second = loops.prm(i, bag, slots[i], cls.tolist(), ins.tolist())
        best = second.index(max(second))
        box_prm = loops.mined(bag[best], i, second[:6], "prm")
        box_prm = [min(max(v, 0), 128) for v in box_prm]
        assert answer.box_select[i].tolist() == pytest.approx(bag[best])
        assert answer.box_prm[i].tolist() == pytest.approx(box_prm)
        overlaps = [
            iou_of(box_prm, b) if ok else -1.0 for b, ok in zip(bag, loops.valid[i], strict=False)
        ]
        chosen = overlaps.index(max(overlaps))
        assert int(answer.chosen[i]) == chosen
        ranking = [m for m in sorted(range(6), key=lambda m: -second[m]) if loops.valid[i][m]]
        assert answer.extra[i] == prm.runners_up(ranking, chosen, 3, mode=mps)
