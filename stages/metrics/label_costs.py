"""Kinds of labels side by side over seeds: what they cost, and what they are worth. Pure.

A label's worth is told twice: by the labels that are made of it (AP as if they were detections of
the training images, and mask IoU with their objects), and by the detector that learns from those.
Label AP rests on all true objects, however labels find theirs; masks that were given count as they
are, since a person has paid for them. Kinds stand in the order of their cost, and each is compared
with its cheaper neighbour within a seed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.metrics.ablation import label_ap_of, statistic
from stages.metrics.detectors import check_detectors, detectors
from stages.metrics.object_quality import PSEUDO_LABEL
from stages.metrics.spread import paired, summary

Metrics = Mapping[str, Any]  # what evaluate wrote for one kind and seed
Runs = Mapping[str, Sequence[Metrics]]  # by kind, in the order of the seeds
OF_DETECTOR = ("mask_ap", "box_ap")


def label_costs(
    runs: Runs, seconds: Mapping[str, Sequence[float]], reference: str
) -> dict[str, Any]:
    """All that is known of each kind, and how neighbours differ.

    Parameters
    ----------
    runs : not empty; `check_costs` has passed. seconds : per image, by kind and seed.
    reference : name of the kind whose detector learnt from true masks; it may be missing.

    Returns
    -------
    {"kinds": {name: {"seconds", "label_ap", "mask_iou", "mask_ap", "box_ap", "share": mask AP
    divided by the reference's in the same seed; each as `summary`}}, cheapest first, "neighbours":
    [{"name", "over": the next cheaper kind, "times": how much dearer, or None beside what costs
    nothing, "mask_ap", "label_ap": differences, as `paired`}]}.
    """
    means = {name: sum(values) / len(values) for name, values in seconds.items()}
    order = sorted(runs, key=means.__getitem__)
    pairs = list(zip(order[1:], order, strict=False))
    scored = detectors({name: runs[name] for name in order}, reference, dict(pairs))
    labels = {name: [label_ap_of(metrics) for metrics in runs[name]] for name in order}
    return {
        "kinds": {
            name: {
                "seconds": summary(seconds[name]),
                "label_ap": summary(labels[name]),
                "mask_iou": summary([_mask_iou(metrics) for metrics in runs[name]]),
                **{key: scored[name][key] for key in OF_DETECTOR},
                "share": scored[name]["retention"]["mask_ap"],
            }
            for name in order
        },
        "neighbours": [
            {
                "name": name,
                "over": base,
                "times": means[name] / means[base] if means[base] else None,
                "mask_ap": scored[name]["gains"]["mask_ap"],
                "label_ap": paired(labels[name], labels[base]),
            }
            for name, base in pairs
        ],
    }


def check_costs(runs: Runs, seeds: Sequence[int]) -> None:
    """Refuse what cannot be compared.

    Raises
    ------
    ValueError : no detector was scored, or two kinds of a seed rest on different images or objects.
    """
    check_detectors(runs, seeds)
    for number, seed in enumerate(seeds):
        first: dict[str, tuple[str, int]] = {}
        for name, column in runs.items():
            for what, seen in _rests_on(column[number]).items():
                other, wanted = first.setdefault(what, (name, seen))
                if seen != wanted:
                    raise ValueError(
                        f"seed {seed}: the labels of {name} rest on {seen} {what}, those of "
                        f"{other} on {wanted}. Only the same can be compared: rerun evaluate for "
                        "both."
                    )


def _rests_on(metrics: Metrics) -> dict[str, int]:
    """Images and true objects; those of labels that find their object by IoU are another count."""
    counts = metrics["counts"]
    found = {"images": counts["images"]}
    if metrics.get("label_match"):
        found["objects, matched by IoU"] = counts["scored"]
    elif metrics["label_quality"]:
        found["objects"] = counts["instances"] - counts["without_truth"]
    return found


def _mask_iou(metrics: Metrics) -> float | None:
    """Mean mask IoU of labels and their own objects; None where labels come from none."""
    quality = metrics["label_quality"]
    return statistic(metrics, PSEUDO_LABEL, "mask_iou") if quality else None
