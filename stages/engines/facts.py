"""training.json: what was trained on what, and what the hooks did; no clock times."""

import json
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from stages.engines.hooks import mean_shares
from stages.engines.training_labels import Labels
from stages.runtime.program import Sentence
from stages.settings.train import Train


def facts_of_training(
    settings: Train, labels: Labels, log: str, packages: Mapping[str, str]
) -> dict[str, Any]:
    """Facts of a training, from its log.

    Returns
    -------
    engine, packages, images, annotations, masks_ignored (annotations of mask weight 0), steps,
    last_loss, dropped and dropped_objects (mean shares of RoIs, and of those that hold an object,
    since the start, or None), pasted (mean number of instances per image, or None); and where the
    labels have any, masks_partly_ignored (annotations with a trained mask of which some pixels are
    not looked at) and ignored_share (mean area of these pixels over that of the box).
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
        **_ignored(labels, settings),
    }


def _ignored(labels: Labels, settings: Train) -> dict[str, Any]:
    """Pixels that no mask loss looked at; nothing where the labels have none."""
    if not labels.ignores:
        return {}
    shares = labels.ignored_shares(settings.mask_weight)
    return {"masks_partly_ignored": len(shares), "ignored_share": fmean(shares) if shares else 0.0}


def hooks_told(facts: Mapping[str, Any]) -> Sentence:
    """What the hooks did, for the closing sentence; empty where they did nothing."""
    told = [
        f", {facts['masks_ignored']} masks ignored" if facts["masks_ignored"] else "",
        f", {facts['masks_partly_ignored']} masks partly ignored ({facts['ignored_share']:.1%} of "
        "their boxes)"
        if facts.get("masks_partly_ignored")
        else "",
        f", {facts['dropped']:.1%} of the RoIs dropped ({facts['dropped_objects']:.1%} of those "
        "with an object)"
        if facts["dropped"]
        else "",
        f", {facts['pasted']:.2f} instances pasted per image" if facts["pasted"] else "",
    ]
    return "".join(told)
