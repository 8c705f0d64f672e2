"""The small world with tags in place of points, and the flags of fit_prompt and prompt."""

import json
from pathlib import Path
from typing import Any

from tests.world import Rows, World, changed

SOURCES = {"sources": [{"source": "clues"}]}
TRAINING = {"epochs": 3, "batch_images": 2, "warmup": 2, "checkpoint_every": 2, "lr": 0.01}
CONV: dict[str, Any] = {  # section fit_prompt that trains in a second
    "network": "conv",
    "conv": {"features": {"channels": 16}, "layers": 1, "training": TRAINING},
}
VIT: dict[str, Any] = {
    "network": "vit",
    "vit": {
        **{"depth": 2, "dim": 16, "heads": 2, "patch": 16, "side": 64},
        **{"short_side": 64, "long_side": 64, "training": TRAINING},
    },
}


def as_tags(rows: Rows) -> Rows:
    """A tag for each class of an image, from its points; by label_id."""
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for row in rows:
        tag = {**row, "kind": "tag", "instance_id": None, "bag_id": -1, "x": None, "y": None}
        found.setdefault((row["image_id"], row["category_id"]), tag)
    return sorted(found.values(), key=lambda row: (row["image_id"], row["label_id"]))


def tagged(world: World, folder: Path, but: int | None = None, *, points: bool = False) -> World:
    """A copy of the world with tags; but: an image that has none; points: they stay, beside."""

    def labelled(rows: Rows) -> Rows:
        tags = as_tags([row for row in rows if row["image_id"] != but])
        if points:
            tags = [*rows, *({**tag, "label_id": tag["label_id"] + 10_000} for tag in tags)]
        return sorted(tags, key=lambda row: (row["image_id"], row["label_id"]))

    return changed(world, folder, weak_labels=labelled)


def flags(world: World, **more: Any) -> list[str]:
    """Command line of either program; dictionaries become JSON."""
    texts = {k: json.dumps(v) if isinstance(v, dict) else v for k, v in more.items()}
    words = world.flags(**texts)
    return words[: words.index("--proposals")]
