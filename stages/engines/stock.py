"""A trained network as its own library opens it: weights, configuration, and the log as metrics.

The three files lie side by side, and nothing of Maskmill is needed to read them. What the
configuration does not record is not built.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.learning.model_file import to_bytes
from stages.runtime.atomic import write_bytes, write_text

WEIGHTS = "model_final.pth"  # as detectron2 calls it
DETECTRON2_NAMES = {  # of losses, by the names that the logs of all engines have
    "loss_classifier": "loss_cls",
    "loss_objectness": "loss_rpn_cls",
    "loss_rpn_box_reg": "loss_rpn_loc",
}


@dataclass(frozen=True, slots=True)
class StockModel:
    """A trained network in its library's own terms.

    weights : what `torch.save` writes; tensors and plain values, so that weights_only loads it.
    config : text of the configuration.
    """

    weights: Any
    config: str


def metrics_lines(log: str) -> str:
    """A log of ours as detectron2's tools read metrics.json: one JSON object per step and line.

    Returns
    -------
    Lines with iteration (from 0), total_loss, the losses by detectron2's names, and lr; no times,
    so that equal trainings give equal text.
    """
    return "".join(json.dumps(_line(json.loads(line))) + "\n" for line in log.splitlines())


def _line(entry: dict[str, Any]) -> dict[str, Any]:
    losses = {
        DETECTRON2_NAMES.get(name, name): value
        for name, value in entry.items()
        if name.startswith("loss_")
    }
    first = {"iteration": entry["step"] - 1, "total_loss": entry["loss"]}
    return {**first, **losses, "lr": entry["lr"]}


def write_stock(model: StockModel, log: str, *, weights: Path, config: Path, metrics: Path) -> None:
    """Write the three files; equal trainings give equal bytes."""
    write_bytes(weights, to_bytes(model.weights))
    write_text(config, model.config)
    write_text(metrics, metrics_lines(log))
