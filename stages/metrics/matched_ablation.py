"""Variants whose labels were matched by IoU, side by side over several seeds. Pure.

WeakSAM, Tables 4, 5 and 7: recall of proposals, CorLoc and AP50 of the detections, precision and
recall of the labels. Every number stands with its spread; whatever is compared is compared within a
seed, as in `ablation`, on the same objects.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from stages.metrics.matching import BOXES, MASKS
from stages.metrics.misfits import MISFITS
from stages.metrics.spread import paired, summary

Metrics = Mapping[str, Any]  # what evaluate wrote for one variant and seed
Runs = Mapping[str, Sequence[Metrics]]  # by variant, in the order of the seeds
Measures = dict[str, float | None]

OF_LABELS = ("f1", "precision", "recall", "label_iou", "object_iou")
OF_PROPOSALS = ("recall_50", "recall_75", "recall_90", "per_image")
OF_DETECTIONS = ("corloc_two_branch", "corloc", "ap50_11", "ap50_area")
MEASURES = (*OF_LABELS, *OF_DETECTIONS, *OF_PROPOSALS)
ERRORS = (*MISFITS, "without_box")  # shares of tags
CLASS_MEASURES = ("f1", "label_iou", "label_part", "corloc", *ERRORS)


def are_matched(runs: Runs) -> bool:
    """Whether any of the runs was evaluated with `match: iou`."""
    return any(metrics.get("label_match") for column in runs.values() for metrics in column)


def check_matched(runs: Runs, seeds: Sequence[int]) -> None:
    """Refuse what cannot be compared.

    Raises
    ------
    ValueError : a variant was not matched by IoU, or two of a seed rest on different numbers of
        objects.
    """
    first = next(iter(runs))
    for name, column in runs.items():
        for number, (seed, metrics) in enumerate(zip(seeds, column, strict=True)):
            if not metrics.get("label_match"):
                raise ValueError(
                    f"variant {name}, seed {seed}: its labels were not matched by IoU, those of "
                    "others were. Rerun evaluate for all with evaluate.match: iou, and with the "
                    "ground truth of the training images."
                )
            wanted = runs[first][number].get("label_match")
            if wanted and _labels(metrics)["objects"] != _labels(runs[first][number])["objects"]:
                raise ValueError(
                    f"seed {seed}: variant {name} was scored on {_labels(metrics)['objects']} "
                    f"objects, variant {first} on {_labels(runs[first][number])['objects']}. Only "
                    "the same objects can be compared: rerun evaluate for both."
                )


def matched_ablation(runs: Runs, over: Mapping[str, str | None]) -> dict[str, Any]:
    """All comparisons.

    Parameters
    ----------
    runs : not empty; `check_matched` has passed.
    over : for each variant the one that it is compared with, or None.

    Returns
    -------
    {"images", "objects": counts per seed, "categories": {category_id as text: name},
    "matched_rows": [{"name", "measures": {each of MEASURES: as `summary`}, "by_class":
    {category_id as text: {each of CLASS_MEASURES: as `summary`}}}], "gains": {variant: {"over",
    "gains": {each of MEASURES: as `paired`}}}, "uncompared": {variant: the one it should be
    compared with, which is not there}}.
    """
    first = next(iter(runs.values()))
    compared = {name: base for name in runs if (base := over.get(name))}
    return {
        "images": [metrics["label_match"]["images"] for metrics in first],
        "objects": [_labels(metrics)["objects"] for metrics in first],
        "categories": first[0].get("categories", {}),
        "matched_rows": [_row(name, column) for name, column in runs.items()],
        "gains": {
            name: {"over": base, "gains": _gains(runs[name], runs[base])}
            for name, base in compared.items()
            if base in runs
        },
        "uncompared": {name: base for name, base in compared.items() if base not in runs},
    }


def matched_measures(metrics: Metrics) -> Measures:
    """MEASURES of one variant and seed; None for what was not measured."""
    labels, proposals = _labels(metrics), metrics.get("proposals") or {}
    wsod = metrics.get("wsod") or {}
    heads = {name: (wsod.get(name) or {}).get("corloc") for name in OF_DETECTIONS[:2]}
    average = wsod.get("ap50") or {}
    return {
        **{name: labels.get(name) for name in OF_LABELS},
        **heads,
        **{name: average.get(name) for name in OF_DETECTIONS[2:]},
        **{name: proposals.get(name) for name in OF_PROPOSALS},
    }


def class_measures(metrics: Metrics, category: str) -> Measures:
    """CLASS_MEASURES of one class; None for what was not measured."""
    labels = _labels(metrics)["per_class"].get(category, {})
    corloc = ((metrics.get("wsod") or {}).get("corloc") or {"per_class": {}})["per_class"]
    boxes = corloc.get(category, {})
    return {
        "f1": labels.get("f1"),
        "label_iou": labels.get("label_iou"),
        "label_part": _share(labels.get("part"), labels.get("labels")),
        "corloc": boxes.get("corloc"),
        **{name: _share(boxes.get(name), boxes.get("n")) for name in ERRORS},
    }


def _labels(metrics: Metrics) -> Mapping[str, Any]:
    """What was measured of the labels, by masks where there are any."""
    match = metrics["label_match"]
    found: Mapping[str, Any] = match[MASKS] or match[BOXES]
    return found


def _row(name: str, column: Sequence[Metrics]) -> dict[str, Any]:
    seen = {key for metrics in column for key in _labels(metrics)["per_class"]}
    return {
        "name": name,
        "measures": _summaries(column, matched_measures),
        "by_class": {
            key: _summaries(column, partial(class_measures, category=key))
            for key in sorted(seen, key=int)
        },
    }


def _summaries(column: Sequence[Metrics], of: Callable[[Metrics], Measures]) -> dict[str, Any]:
    seen = [of(metrics) for metrics in column]
    return {name: summary([values[name] for values in seen]) for name in seen[0]}


def _gains(column: Sequence[Metrics], base: Sequence[Metrics]) -> dict[str, Any]:
    sides = [[matched_measures(metrics) for metrics in side] for side in (column, base)]
    return {name: paired(*([entry[name] for entry in side] for side in sides)) for name in MEASURES}


def _share(part: int | None, whole: int | None) -> float | None:
    return part / whole if part is not None and whole else None
