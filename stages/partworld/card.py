"""The card of a checkpoint: where it comes from, what it scores, and how to make it again.

In go a checkpoint, its scores and the log of its training; out go one JSON file and the same as
Markdown beside it. The card holds no clock time and no path.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.runtime.atomic import replacing
from stages.runtime.provenance import sha256_of
from stages.runtime.weights import read_weights

ROWS = {
    "best_of_3": "best of the point's 3 masks (needs the truth)",
    "best_of_12": "best of the bag of 12 (needs the truth)",
    "top1_of_3": "SAM's own top-1 of 3",
    "top1_of_12": "SAM's own top-1 of 12",
    "random_of_3": "random of 3",
    "random_of_12": "random of 12",
    "slot_1": "always slot 1",
    "slot_2": "always slot 2",
    "slot_3": "always slot 3",
    "largest_of_3": "largest of 3",
    "largest_of_12": "largest of 12",
    "median_area_of_3": "median area of 3",
    "median_area_of_12": "median area of 12",
}
GROUP_COLUMNS = ("best_of_3", "best_of_12", "top1_of_3", "slot_1", "slot_2", "slot_3")


def read_training(log: Path) -> dict[str, Any]:
    """What a training's log says about it.

    Parameters
    ----------
    log : `log.jsonl` of `train_sam`.

    Returns
    -------
    settings (those of the last start), steps done, and minutes, summed over all starts.
    """
    settings: dict[str, Any] = {}
    first, seconds, last, steps = 0, 0.0, 0.0, 0
    for line in log.read_text("utf-8").splitlines():
        entry = json.loads(line)
        if "resumed_at" in entry:
            seconds, last = seconds + last, 0.0
            first, settings = entry.pop("resumed_at"), entry
        else:
            steps, last = entry["step"], entry["pace"] * (entry["step"] - first)
    return {"settings": settings, "steps": steps, "minutes": round((seconds + last) / 60, 1)}


def training_command(training: dict[str, Any]) -> str:
    """The command line that trains again with the settings of a log."""
    settings = training["settings"]
    words = ["python", "-m", "stages.partworld.train_sam", "--out", "DIR"]
    for name in ("steps", "seed", "images", "points"):
        words += [f"--{name}", str(settings[name])]
    return shlex.join(words + (["--bf16"] if settings["bf16"] else []))


def describe(
    checkpoint: Path, scores: dict[str, Any], *, log: Path | None, notes: Sequence[str]
) -> dict[str, Any]:
    """Everything the card says, JSON-ready.

    Parameters
    ----------
    checkpoint : the state dict's file.
    scores : as from `sam_scores.score`.
    log : the training's log, or None when it is lost.
    notes : remarks, one sentence each.
    """
    training = read_training(log) if log else None
    weights = read_weights(checkpoint)
    return {
        "file": checkpoint.name,
        "sha256": sha256_of(checkpoint),
        "bytes": checkpoint.stat().st_size,
        "parameters": sum(value.numel() for value in weights.values()),
        "architecture": "stages.segmenters.tiny.build_vit_tiny",
        "data": "PartWorld, split sam-train; scored on split sam-heldout",
        "training": training,
        "command": training_command(training) if training else None,
        "scores": scores,
        "notes": list(notes),
    }


def table_of(scores: dict[str, Any]) -> str:
    """The scores as two Markdown tables: by way of choosing, and by class and difficulty."""
    overall = scores["overall"]
    lines = [
        f"{scores['objects']} objects in {scores['scenes']} scenes"
        f" (split {scores['split']}, seed {scores['seed']}); mean mask IoU with the whole object.",
        "",
        "| choice | IoU |",
        "|---|---|",
    ]
    lines += [f"| {words} | {overall[name]:.3f} |" for name, words in ROWS.items()]
    shares = " / ".join(f"{100 * overall[f'best_slot_{k}']:.0f} %" for k in (1, 2, 3))
    lines += ["", f"The best of the three slots is slot 1 / 2 / 3 for {shares} of the objects."]
    lines += ["", f"| | objects | {' | '.join(GROUP_COLUMNS)} |", "|---" * 8 + "|"]
    for name, group in scores["by_group"].items():
        values = " | ".join(f"{group[column]:.3f}" for column in GROUP_COLUMNS)
        lines.append(f"| {name} | {group['objects']} | {values} |")
    return "\n".join(lines)


def as_markdown(card: dict[str, Any]) -> str:
    """The card for human readers."""
    training = card["training"]
    lines = [
        f"# {card['file']}",
        "",
        "A tiny promptable segmenter for the demo: segment_anything's own modules"
        f" (`{card['architecture']}`), {card['parameters']:,} numbers, fp16,"
        f" {card['bytes']:,} bytes.",
        "",
        f"* sha256 `{card['sha256']}`",
        f"* data: {card['data']}; no real photograph was seen, and none will be segmented well",
    ]
    if training:
        lines.append(
            f"* trained from scratch for {training['steps']:,} steps in {training['minutes']:.0f}"
            " minutes on one CPU core, class-agnostically on all mask levels under a prompt"
        )
        lines.append(f"* again: `{card['command']}`")
    lines += [f"* {note}" for note in card["notes"]]
    return "\n".join([*lines, "", table_of(card["scores"]), ""])


def write_card(path: Path, card: dict[str, Any]) -> None:
    """Write the card to `path` (.json) and, for human readers, beside it as .md."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    with replacing(path.with_suffix(".md")) as temporary:
        temporary.write_text(as_markdown(card), "utf-8")
