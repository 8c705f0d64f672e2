"""What a person should hear of a run before its labels: a training that came to nothing."""

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from stages.metrics.learnt import Learnt
from stages.runtime.program import Sentence
from stages.tables.selections import SELECTIONS
from stages.tables.streams import images_of_shards

READ = ("bag_id", "category_id", "bag_score", "score_cls", "score_ins")


def learnt_of(selections: Sequence[Path], classes: int) -> Learnt:
    """All bags of a run that a network has scored; those without S_cls and S_ins count for nothing.

    Parameters
    ----------
    selections : shards of that table. classes : how many there are.
    """
    found = Learnt(classes)
    for _, rows in images_of_shards(selections, SELECTIONS, columns=READ):
        scored = [row for row in rows.to_pylist() if row["score_cls"] is not None]
        scored.sort(key=lambda row: (row["bag_id"], row["category_id"]))
        for _, group in groupby(scored, key=lambda row: (row["bag_id"], row["category_id"])):
            bag = list(group)
            shares = np.array([row["score_ins"] or 0.0 for row in bag])
            found.add(bag[0]["bag_score"], shares)
    return found


def alarms(selections: Sequence[Path], classes: int, settings: str) -> list[Sentence]:
    """Sentences, none where all is well.

    Parameters
    ----------
    settings : JSON text of the sections of the config that the run has.
    """
    found = learnt_of(selections, classes)
    if not (found.is_at_chance or found.is_flat):
        return []
    signs = []
    if found.is_at_chance:
        signs.append(
            f"the scores of bags for their own class are {found.mean_score:.3f} on average, and "
            f"guessing among {classes} classes gives {1 / classes:.3f}"
        )
    if found.is_flat:
        signs.append(
            f"the preferred mask of a bag has {found.mean_peak:.2f} times an even share of S_ins"
        )
    return [f"select has hardly learnt anything: {'; '.join(signs)}. {_advice(settings)}"]


def _advice(settings: str) -> Sentence:
    select: dict[str, Any] = json.loads(settings).get("select", {})
    method = str(select.get("method", "psm"))
    epochs = select.get(method, {}).get("training", {}).get("epochs")
    now = f" (now {epochs})" if epochs is not None else ""
    return (
        f"Raise select.{method}.training.epochs{now}, give it more images, or look at the loss in "
        "logs/fit_select.log; until then the segmenter's own scores choose as well."
    )
