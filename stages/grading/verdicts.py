"""Grades of the pseudo-labels of an image: from the additive models, or the methods' own."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from stages.geometry.masks import rle_areas, rle_of
from stages.grading.evidence import EVIDENCE, Row, evidence_of, kind_of
from stages.grading.grader_file import Grader
from stages.tables.grades import GRADES
from stages.tables.table import rows_table

NAMES = tuple(EVIDENCE)
AGAINST, MOST = -0.15, 3  # logits: what takes less is no reason; how many reasons are told
GIVEN, EMPTY = (1.0, 1.0, ()), (0.0, 0.0, ())  # a person's mask is a label; one without pixels
Verdict = tuple[float, float, Sequence[str]]  # score, mask quality, reasons


def grades_of(
    graders: Mapping[str, Grader] | None,
    labels: Sequence[Row],
    weak_labels: Sequence[Row],
    proposals: Sequence[Row],
    selections: Sequence[Row],
) -> pa.Table:
    """Rows of table `grades` of one image.

    Parameters
    ----------
    graders : by kind of label; None leaves the methods' own scores as they are.
    labels : rows of table `pseudo_labels`. The others : rows of these tables.

    Raises
    ------
    ValueError : there is no grader for a kind of label.
    """
    numbers = evidence_of(labels, weak_labels, proposals, selections)
    rows = []
    for label, mine in zip(labels, numbers, strict=True):
        score, quality, reasons = _verdict(graders, label, mine)
        row = {name: None if np.isnan(x) else float(x) for name, x in zip(NAMES, mine, strict=True)}
        row |= {key: label[key] for key in ("image_id", "instance_id")} | {"kind": kind_of(label)}
        rows.append(row | {"score": score, "mask_quality": quality, "reasons": list(reasons)})
    return rows_table(GRADES, rows)


def _verdict(graders: Mapping[str, Grader] | None, label: Row, numbers: np.ndarray) -> Verdict:
    if label["mask_source"] == "given":
        return GIVEN
    if graders is None:
        return min(label["score"], 1.0), label["mask_quality"], ()
    if not rle_areas([rle_of(label["rle"], label["height"], label["width"])])[0]:
        return EMPTY
    kind = kind_of(label)
    if kind not in graders:
        raise ValueError(
            f"image {label['image_id']}: a label of kind {kind}, for which the grader has no "
            f"model (it has {', '.join(graders)}). Train one with stages.grading.train_grader, or "
            "set grade.method: own."
        )
    grader, one = graders[kind], numbers[None]
    score, quality = (
        float(model.probabilities(one, NAMES)[0]) for model in (grader.score, grader.mask_quality)
    )
    return score, quality, reasons_of(grader, numbers)


def reasons_of(grader: Grader, numbers: np.ndarray) -> list[str]:
    """Names of the evidence that speaks against a label, the worst first; at most MOST.

    Parameters
    ----------
    numbers : (e,) as EVIDENCE, NaN where missing.
    """
    parts = grader.mask_quality.parts(numbers[None], NAMES)[0]
    parts += grader.score.parts(numbers[None], NAMES)[0]
    worst = np.argsort(parts, kind="stable")[:MOST]
    return [NAMES[place] for place in worst if parts[place] < 2 * AGAINST]
