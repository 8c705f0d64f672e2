"""Variants side by side over several seeds: means, spreads, gains. Pure: metrics in, numbers out.

SAPNet, Sec. 4.3 and Tables 3, 4, 6 and 7. Whatever is compared is compared within a seed, on the
same objects, and the differences are averaged: the spread between worlds cancels out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.metrics.mask_quality import STATISTICS
from stages.metrics.object_quality import PSEUDO_LABEL
from stages.metrics.spread import paired, summary
from stages.mil.trivial import SLOTS

Metrics = Mapping[str, Any]  # what evaluate wrote for one variant and seed
Runs = Mapping[str, Sequence[Metrics]]  # by variant, in the order of the seeds

CEILING, BASE = "best_in_bag", "sam_top1"  # where the headroom ends, and where it begins
MEASURES = (*STATISTICS, "label_ap", "gap", "headroom")
DIFFICULTIES = ("single", "part", "group", "occluded")  # PartWorld's, in the order of a table
ALL = "all"  # objects of every group
DIFFICULTY, SIZE = "by_difficulty", "by_size"  # what objects are grouped by
HELD_AGAINST = ("full", "best")  # variants that are to beat what needs no learning


def ablation(runs: Runs, over: Mapping[str, str | None]) -> dict[str, Any]:
    """All comparisons of pseudo-labels.

    Parameters
    ----------
    runs : not empty; `check_runs` has passed.
    over : for each variant the one that it is compared with, or None.

    Returns
    -------
    {"images", "objects": counts per seed, "difficulties": {name: objects per seed},
    "sizes": the same of size classes, smallest first,
    "rows": of the main table: [{"name", "kind": trivial, variant or ceiling, "measures",
    "by_size": mask IoU in each of `sizes`}],
    "gains": {variant: {"over", "gains": {statistic: {difficulty: as `paired`}}}},
    "uncompared": {variant: the one it should be compared with, which is not there},
    "against": {variant: {trivial choice: {statistic: as `paired`}}}}.
    """
    first = next(iter(runs.values()))
    groups = difficulties_of(first)
    pairs = [(name, over.get(name)) for name in runs]
    compared = {name: base for name, base in pairs if base}
    return {
        "images": [metrics["counts"]["images"] for metrics in first],
        "objects": [metrics["counts"]["scored"] for metrics in first],
        "difficulties": {name: _counts(first, name, DIFFICULTY) for name in groups},
        "sizes": {name: _counts(first, name, SIZE) for name in sizes_of(first)},
        "rows": rows_of(runs),
        "gains": {
            name: {"over": base, "gains": gains_of(runs[name], runs[base], groups)}
            for name, base in compared.items()
            if base in runs
        },
        "uncompared": {name: base for name, base in compared.items() if base not in runs},
        "against": {name: against_of(runs[name]) for name in HELD_AGAINST if name in runs},
    }


def check_runs(runs: Runs, seeds: Sequence[int]) -> None:
    """Refuse what cannot be compared.

    Raises
    ------
    ValueError : a variant was not scored, lacks pseudo-labels, two of a seed rest on different
        numbers of objects, or not all have the same size classes.
    """
    for name, column in runs.items():
        for seed, metrics in zip(seeds, column, strict=True):
            _check_scored(metrics, f"variant {name}, seed {seed}")
    first, *rest = runs
    wanted_sizes = sizes_of(runs[first])
    for name, column in runs.items():
        for seed, metrics in zip(seeds, column, strict=True):
            _check_sizes(metrics, wanted_sizes, f"variant {name}, seed {seed}")
    for name in rest:
        for number, seed in enumerate(seeds):
            seen, wanted = (runs[key][number]["counts"]["scored"] for key in (name, first))
            if seen != wanted:
                raise ValueError(
                    f"seed {seed}: variant {name} was scored on {seen} objects, variant {first} on "
                    f"{wanted}. Only the same objects can be compared: rerun evaluate for both."
                )


def _check_scored(metrics: Metrics, where: str) -> None:
    quality, scored = metrics["label_quality"], metrics["counts"]["scored"]
    if quality is None or not scored:
        raise ValueError(
            f"{where}: no object was scored. The comparison needs masks of the training images "
            "(dataset.ground_truth: true)."
        )
    labelled = quality["choices"].get(PSEUDO_LABEL, {"n": 0})["n"]
    if labelled != scored:
        raise ValueError(
            f"{where}: {labelled} of {scored} scored objects have a pseudo-label. "
            "Rerun refine and evaluate; labels after drop_below cannot be compared with all."
        )


def _check_sizes(metrics: Metrics, wanted: Sequence[str], where: str) -> None:
    seen = sizes_of([metrics])
    if not seen or list(seen) != list(wanted):
        raise ValueError(
            f"{where}: its size classes are {_listed(seen)}, those of the first metrics "
            f"{_listed(wanted)}. Rerun evaluate for all with the same evaluate.sizes."
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def sizes_of(column: Sequence[Metrics]) -> Sequence[str]:
    """Names of the size classes, smallest first; all seeds have the same."""
    found: Sequence[str] = column[0]["label_quality"].get("sizes", ())
    return found


def difficulties_of(column: Sequence[Metrics]) -> list[str]:
    """Names of the difficulties of any seed: PartWorld's first, then others by the alphabet."""
    seen = {name for metrics in column for name in _groups(metrics, "random", DIFFICULTY)}
    return [name for name in DIFFICULTIES if name in seen] + sorted(seen - {*DIFFICULTIES})


def _groups(metrics: Metrics, choice: str, by: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = metrics["label_quality"]["choices"].get(choice, {}).get(by, {})
    return found


def _counts(column: Sequence[Metrics], name: str, by: str) -> list[int]:
    return [_groups(metrics, "random", by).get(name, {"n": 0})["n"] for metrics in column]


def rows_of(runs: Runs) -> list[dict[str, Any]]:
    """The main table: trivial choices of the first variant, variants, the ceiling."""
    first = next(iter(runs.values()))
    kinds = [("trivial", name, name, first) for name in trivial_names(first) if name not in runs]
    kinds += [("variant", name, PSEUDO_LABEL, column) for name, column in runs.items()]
    kinds.append(("ceiling", CEILING, CEILING, first))
    rows = []
    for kind, name, choice, column in kinds:
        seen = [measures_of(metrics, choice) for metrics in column]
        measures = {key: summary([entry[key] for entry in seen]) for key in MEASURES}
        by_size = {size: _size_summary(column, choice, size) for size in sizes_of(column)}
        rows.append({"name": name, "kind": kind, "measures": measures, "by_size": by_size})
    return rows


def _size_summary(column: Sequence[Metrics], choice: str, size: str) -> dict[str, Any]:
    """`summary` of the mask IoU of the objects of one size class."""
    groups = [_groups(metrics, choice, SIZE) for metrics in column]
    return summary([group.get(size, {}).get("mask_iou") for group in groups])


def trivial_names(column: Sequence[Metrics]) -> list[str]:
    """Names of the choices without learning that any seed has."""
    seen = {name for metrics in column for name in metrics["label_quality"]["choices"]}
    slots = sorted(name for name in seen if name.startswith(SLOTS))
    names = ("random", "largest", "median_area", *slots, BASE)
    return [name for name in names if name in seen]


def measures_of(metrics: Metrics, choice: str) -> dict[str, float | None]:
    """MEASURES of one choice of one seed; None for what was not measured."""
    quality = metrics["label_quality"]
    entry = quality["choices"].get(choice, {})
    return {
        **{name: entry.get(name) for name in STATISTICS},
        "label_ap": label_ap_of(metrics) if choice == PSEUDO_LABEL else None,
        "gap": quality["gap"].get(choice, {}).get("gap"),
        "headroom": headroom(
            *(statistic(metrics, name, "mask_iou") for name in (choice, BASE, CEILING))
        ),
    }


def label_ap_of(metrics: Metrics) -> float | None:
    """Mask AP of the labels as if they were detections, or None."""
    masks = (metrics.get("label_ap") or {}).get("segm") or {}
    value: float | None = masks.get("AP")
    return value


def statistic(metrics: Metrics, choice: str, name: str, group: str = ALL) -> float | None:
    """One of STATISTICS of a choice, of the objects of one difficulty; None where there is none."""
    entry = metrics["label_quality"]["choices"].get(choice, {})
    values = entry if group == ALL else _groups(metrics, choice, DIFFICULTY).get(group, {})
    value: float | None = values.get(name)
    return value


def headroom(value: float | None, base: float | None, ceiling: float | None) -> float | None:
    """Share of the way from `base` to `ceiling`; below 0 or above 1 it lies outside of it."""
    if value is None or base is None or ceiling is None or ceiling <= base:
        return None
    return (value - base) / (ceiling - base)


def gains_of(
    column: Sequence[Metrics], base: Sequence[Metrics], groups: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """`paired` of label AP, and of STATISTICS over all objects and those of each difficulty."""
    aps = [[label_ap_of(metrics) for metrics in side] for side in (column, base)]
    return {
        "label_ap": {ALL: paired(*aps)},
        **{
            name: {
                group: paired(
                    *(_values(side, PSEUDO_LABEL, name, group) for side in (column, base))
                )
                for group in (ALL, *groups)
            }
            for name in STATISTICS
        },
    }


def against_of(column: Sequence[Metrics]) -> dict[str, dict[str, Any]]:
    """`paired` of the pseudo-labels and each trivial choice, in box and mask IoU."""
    return {
        trivial: {
            name: paired(
                *(_values(column, choice, name, ALL) for choice in (PSEUDO_LABEL, trivial))
            )
            for name in ("box_iou", "mask_iou")
        }
        for trivial in trivial_names(column)
    }


def _values(column: Sequence[Metrics], choice: str, name: str, group: str) -> list[float | None]:
    return [statistic(metrics, choice, name, group) for metrics in column]
