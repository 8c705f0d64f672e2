"""What each stage asks a segmenter: prompts by kind, and looks through its image encoder.

Plain values of the config in, numbers out; None stands for what cannot be known before a network
is trained.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from stages.estimating.counts import Counts

Values = Mapping[str, Any]
DERIVED = (
    "inner_points",
    "boxes",
)  # of propose.prompts: made of the first masks of a point


@dataclass(frozen=True, slots=True)
class Asks:
    """What a stage asks.

    prompts : by kind; None: not known. looks : passes of the image encoder, likewise.
    steps : of a training. is_kept : what the encoder gives is kept on disk for later stages.
    """

    prompts: Mapping[str, int | None] = field(default_factory=dict)
    looks: int | None = 0
    steps: int | None = None
    is_kept: bool = False

    @property
    def known(self) -> int:
        """Prompts of the kinds that are known."""
        return sum(count or 0 for count in self.prompts.values())

    @property
    def is_whole(self) -> bool:
        """Whether nothing is unknown."""
        return self.looks is not None and None not in self.prompts.values()


def propose_asks(counts: Counts, prompt: Values, propose: Values) -> Asks:
    """The prompts of stage `propose`.

    Parameters
    ----------
    prompt, propose : the sections.
    """
    found: dict[str, int | None] = {}
    for entry in prompt["sources"]:
        for kind, count in _of_source(entry, counts).items():
            found[kind] = None if count is None else (found.get(kind) or 0) + count
    points = found.get("points") or 0
    for entry in propose["prompts"]:
        if entry["source"] in DERIVED and points:
            name = {"inner_points": "inner points", "boxes": "boxes of masks"}[entry["source"]]
            found[name] = (found.get(name) or 0) + points * entry["count"]
    times = 2 if propose.get("mirror") else 1
    looks = max(counts.asked, counts.tagged if _asks_tags(prompt) else 0) * times
    asked = {kind: count if count is None else count * times for kind, count in found.items()}
    return Asks({kind: count for kind, count in asked.items() if count != 0}, looks)


def _asks_tags(prompt: Values) -> bool:
    return any(entry["source"] in ("grid", "clues") for entry in prompt["sources"])


def _of_source(entry: Values, counts: Counts) -> dict[str, int | None]:
    """Prompts of one entry of `prompt.sources`."""
    if entry["source"] == "labels":
        pairs = counts.points + counts.boxes - counts.objects if entry.get("together") else 0
        return {"points": counts.points - pairs, "boxes": counts.boxes}
    if entry["source"] == "grid":
        return {"grid points": counts.tagged * entry["side"] ** 2}
    if entry["source"] == "clues":
        return {"peaks": None if counts.tagged else 0}
    return {"boxes": counts.points}  # p2b: one of each point


def fit_asks(counts: Counts, block: Values, segmenter: str) -> Asks:
    """What a training of `select` or `refine` takes.

    Parameters
    ----------
    block : keys of the method that learns, with `training` and perhaps `features`.
    """
    training = block.get("training") or {}
    if not {"epochs", "batch_images"} <= set(training):
        return Asks()
    steps = training["epochs"] * math.ceil(counts.images / training["batch_images"])
    features = block.get("features") or {}
    if features.get("source") != segmenter or features.get("path"):
        return Asks(steps=steps)
    sides = 2 if training.get("flip") else 1
    looks = counts.images * (sides if features.get("cache") else training["epochs"])
    return Asks(looks=looks, steps=steps, is_kept=bool(features.get("cache")))


def refine_asks(counts: Counts, refine: Values) -> Asks:
    """What stage `refine` asks close up, or with boxes; of tags nobody knows how many labels."""
    block = refine.get(refine["method"]) or {}
    objects = None if counts.tags else counts.objects
    if refine["zoom"]["enabled"]:  # each crop, and its mirror image
        twice = None if objects is None else 2 * objects
        return Asks({"boxes close up": twice}, twice)
    if block.get("mask_source") == "box_prompt":
        return Asks({"boxes": objects}, counts.images)
    return Asks()


def asks_of(counts: Counts, settings: Values, stages: Collection[str]) -> dict[str, Asks]:
    """What the stages ask that ask or train, by name.

    Parameters
    ----------
    settings : sections by name, of each method the chosen one's keys. stages : that the run has.
    """
    segmenter = settings["propose"]["segmenter"]
    blocks = {
        "fit_prompt": _block(settings["fit_prompt"], "network"),
        "fit_select": _block(settings["select"], "method"),
        "fit_refine": _block(settings["refine"], "method"),
    }
    fits = {name: fit_asks(counts, block, segmenter) for name, block in blocks.items()}
    if "fit_prompt" in stages and fits["fit_prompt"].is_kept and fits["fit_select"].is_kept:
        fits["fit_select"] = Asks(steps=fits["fit_select"].steps)  # reads what is kept
    found = {
        **fits,
        "propose": propose_asks(counts, settings["prompt"], settings["propose"]),
        "refine": refine_asks(counts, settings["refine"]),
        "train": Asks(steps=settings["train"]["iterations"]),
    }
    return {name: asks for name, asks in found.items() if name in stages}


def _block(section: Values, key: str) -> Values:
    """The keys of the method that a section has chosen."""
    found: Values = section.get(section[key]) or {}
    return found
