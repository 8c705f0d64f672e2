"""Curves: COCO's own summary comes out of them, and they are matched once for COCO and VOC."""

from contextlib import redirect_stdout
from typing import Any

import numpy as np
import pytest
from pycocotools.cocoeval import COCOeval

from stages.metrics.coco_ap import NUMBERS, coco_ap, detector_ap
from stages.metrics.curves import COCO_IOUS
from stages.metrics.scorers import scorer_of
from stages.metrics.voc_ap import voc_ap
from tests.detections import perturbed, squares

TRUTH = squares(images=30, objects=5, seed=3)
RESULTS = [found for seed in range(3) for found in perturbed(TRUTH, seed=seed)]


@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_the_numbers_are_those_of_pycocotools_to_the_last_bit(kind: str) -> None:
    scorer = scorer_of(TRUTH, RESULTS, kind=kind)
    assert scorer.params.iouThrs.tolist() == list(COCO_IOUS)
    with redirect_stdout(None):
        scorer.evaluate()
        scorer.accumulate()
        scorer.summarize()
    stats = [None if value < 0 else value for value in scorer.stats]
    numbers = coco_ap(TRUTH, RESULTS, kind=kind)
    assert [numbers[name] for name in NUMBERS] == stats
    precision = scorer.eval["precision"][:, :, :, 0, -1]
    for k, category in enumerate(scorer.params.catIds):
        seen = precision[:, :, k]
        wanted = np.mean(seen) if seen.max() > -1 else None  # there are classes without objects
        assert numbers["per_class"][str(category)] == wanted


def test_voc_as_it_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = {kind: voc_ap(TRUTH, RESULTS, kind=kind) for kind in ("bbox", "segm")}
    passes: list[Any] = []
    evaluate = COCOeval.evaluate
    monkeypatch.setattr(COCOeval, "evaluate", lambda own: (passes.append(own), evaluate(own)))
    voc = detector_ap(TRUTH, RESULTS)["voc"]
    assert {kind: voc[kind] for kind in alone} == alone
    assert len(passes) == 2  # one of boxes, one of masks


def test_another_grid_of_recalls_is_read_anew() -> None:
    of_eleven = voc_ap(TRUTH, RESULTS, kind="bbox", recall_points=11)
    found = detector_ap(TRUTH, RESULTS, recall_points=11)["voc"]
    assert found["bbox"] == of_eleven != voc_ap(TRUTH, RESULTS, kind="bbox")
