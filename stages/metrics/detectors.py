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
    {name: {each of AVERAGES, "share": mask AP divided by that of `reference`, as `summary`,
    "over": the other's name or None, "gains": {each of GAINS, as `paired`}}}.
    """
    goals = _detector_values(runs[reference], "mask_ap") if reference in runs else None
    table: dict[str, dict[str, Any]] = {}
    for name, column in runs.items():
        seen = {measure: _detector_values(column, measure) for measure in AVERAGES}
        pairs = zip(seen["mask_ap"], goals or [None] * len(column), strict=True)
        seen["share"] = [a / b if a is not None and b else None for a, b in pairs]
        base = over.get(name) if over.get(name) in runs else None
        gains = {measure: _gain(column, runs[base], measure) for measure in GAINS} if base else {}
        table[name] = {
            **{measure: summary(values) for measure, values in seen.items()},
            "over": base,
            "gains": gains,
        }
    return table


def _gain(column: Sequence[Metrics], base: Sequence[Metrics], measure: str) -> dict[str, Any]:
    return paired(*(_detector_values(side, measure) for side in (column, base)))


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
