"""Detectors that learnt from different labels, side by side over seeds. Pure.

SAPNet, Table 1: what pseudo-labels are worth is told by the AP of a detector trained on them,
against the same detector trained on ground truth.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.metrics.spread import paired, summary

Metrics = Mapping[str, Any]  # what evaluate wrote for one variant and seed
Runs = Mapping[str, Sequence[Metrics]]  # by variant, in the order of the seeds

AVERAGES = {  # measure: where it stands in `detector` of metrics.json
    "box_ap": ("bbox", "AP"),
    "mask_ap": ("segm", "AP"),
    "mask_ap_50": ("segm", "AP50"),
    "mask_ap_75": ("segm", "AP75"),
    "mask_ap_s": ("segm", "APs"),
    "mask_ap_m": ("segm", "APm"),
    "mask_ap_l": ("segm", "APl"),
}
GAINS = ("box_ap", "mask_ap")  # that are compared within a seed
RETAINED = ("mask_ap", "mask_ap_50", "mask_ap_75")  # that are divided by the reference's


def detectors(
    runs: Runs, reference: str, over: Mapping[str, str | None]
) -> dict[str, dict[str, Any]]:
    """What each detector reaches, and what it gains over the one that it is compared with.

    Parameters
    ----------
    runs : whose detectors were scored, by name.
    reference : name of the detector that learnt from ground truth; it may be missing.
    over : for each detector the one that it is compared with, or None.

    Returns
    -------
    {name: {each of AVERAGES, as `summary`, "retention": {each of RETAINED: divided by that of
    `reference` within a seed, as `summary`}, "lost": {each of GAINS: the difference from
    `reference`, as `paired`; empty for itself, or without it}, "over": the other's name or None,
    "gains": {each of GAINS, as `paired`}}}.
    """
    goals = runs.get(reference)
    table: dict[str, dict[str, Any]] = {}
    for name, column in runs.items():
        seen = {measure: _detector_values(column, measure) for measure in AVERAGES}
        base = over.get(name) if over.get(name) in runs else None
        table[name] = {
            **{measure: summary(values) for measure, values in seen.items()},
            "retention": {key: _retained(column, goals, key) for key in RETAINED},
            "lost": _differences(column, None if name == reference else goals),
            "over": base,
            "gains": _differences(column, runs[base] if base else None),
        }
    return table


def _retained(
    column: Sequence[Metrics], goals: Sequence[Metrics] | None, measure: str
) -> dict[str, Any]:
    """What is kept of the reference's AP, in each seed; None where that is 0 or missing."""
    seen = _detector_values(column, measure)
    wanted = _detector_values(goals, measure) if goals else [None] * len(seen)
    pairs = zip(seen, wanted, strict=True)
    return summary([a / b if a is not None and b else None for a, b in pairs])


def _differences(column: Sequence[Metrics], base: Sequence[Metrics] | None) -> dict[str, Any]:
    """Each of GAINS, as `paired`; empty without anything to compare with."""
    if base is None:
        return {}
    return {
        measure: paired(*(_detector_values(side, measure) for side in (column, base)))
        for measure in GAINS
    }


def _detector_values(column: Sequence[Metrics], measure: str) -> list[float | None]:
    kind, name = AVERAGES[measure]
    return [(metrics["detector"][kind] or {}).get(name) for metrics in column]


def check_detectors(runs: Runs, seeds: Sequence[int]) -> None:
    """Refuse what cannot be compared.

    Raises
    ------
    ValueError : no detector was scored, or two of a seed rest on different numbers of objects.
    """
    first = next(iter(runs), None)
    for name, column in runs.items():
        for seed, metrics, other in zip(seeds, column, runs[first or name], strict=True):
            if metrics["detector"] is None:
                raise ValueError(
                    f"variant {name}, seed {seed}: no detector was scored. Rerun evaluate."
                )
            seen, wanted = (side["detector"]["objects"] for side in (metrics, other))
            if seen != wanted:
                raise ValueError(
                    f"seed {seed}: the detector of {name} was scored on {seen} objects, that of "
                    f"{first} on {wanted}. Rerun evaluate for both."
                )
