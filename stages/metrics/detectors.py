"""Detectors that learnt from different labels, side by side over seeds. Pure.

SAPNet, Table 1: what pseudo-labels are worth is told by the AP of a detector trained on them,
against the same detector trained on ground truth.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.metrics.spread import summary

Metrics = Mapping[str, Any]  # what evaluate wrote for one variant and seed
Runs = Mapping[str, Sequence[Metrics]]  # by variant, in the order of the seeds

AVERAGES = {  # measure: where it stands in `detector` of metrics.json
    "box_ap": ("bbox", "AP"),
    "mask_ap": ("segm", "AP"),
    "mask_ap_50": ("segm", "AP50"),
    "mask_ap_75": ("segm", "AP75"),
}


def detectors(runs: Runs, reference: str) -> dict[str, dict[str, Any]]:
    """AVERAGES and `share`, mask AP divided by that of `reference`, of each detector.

    Parameters
    ----------
    runs : whose detectors were scored, by name.
    reference : name of the detector that learnt from ground truth; it may be missing.
    """
    goals = _detector_values(runs[reference], "mask_ap") if reference in runs else None
    table = {}
    for name, column in runs.items():
        seen = {measure: _detector_values(column, measure) for measure in AVERAGES}
        pairs = zip(seen["mask_ap"], goals or [None] * len(column), strict=True)
        seen["share"] = [a / b if a is not None and b else None for a, b in pairs]
        table[name] = {measure: summary(values) for measure, values in seen.items()}
    return table


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
