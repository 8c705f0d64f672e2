"""training.json: what was trained on what, and what the hooks did; no clock times."""

import json
from collections.abc import Mapping
from typing import Any

from stages.engines.hooks import mean_shares
from stages.engines.training_labels import Labels
from stages.runtime.program import Sentence
from stages.settings.train import Train


def facts_of(
    settings: Train, labels: Labels, log: str, packages: Mapping[str, str]
) -> dict[str, Any]:
    """Facts of a training, from its log.

    Returns
    -------
    engine, packages, images, annotations, masks_ignored (annotations of mask weight 0), steps,
    last_loss, dropped and dropped_objects (mean shares of RoIs, and of those that hold an object,
    since the start, or None), pasted (mean number of instances per image, or None).
    """
    steps = [json.loads(line) for line in log.splitlines()]
    pasted = sum(step.get("pasted", 0) for step in steps) / sum(step["images"] for step in steps)
    return {
        "engine": settings.engine,
        "packages": dict(packages),
        "images": len(labels.image_ids),
        "annotations": labels.annotations,
        "masks_ignored": labels.masks_ignored(settings.mask_weight),
        "steps": steps[-1]["step"],
        "last_loss": steps[-1]["loss"],
        **mean_shares(steps, settings.roi_drop),
        "pasted": pasted if settings.copy_paste.enabled else None,
    }


def hooks_told(facts: Mapping[str, Any]) -> Sentence:
    """What the hooks did, for the closing sentence; empty where they did nothing."""
    told = [
        f", {facts['masks_ignored']} masks ignored" if facts["masks_ignored"] else "",
        f", {facts['dropped']:.1%} of the RoIs dropped ({facts['dropped_objects']:.1%} of those "
        "with an object)"
        if facts["dropped"]
        else "",
        f", {facts['pasted']:.2f} instances pasted per image" if facts["pasted"] else "",
    ]
    return "".join(told)
