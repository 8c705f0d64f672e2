"""The file of a grader: for each kind of label two additive models, as JSON.

The shipped one is `workflow/resources/grader.json`; its card lies beside it. It is data alone: what
comes from strangers can run no code.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stages.grading.additive import Additive, Curve
from stages.grading.evidence import EVIDENCE, KINDS
from stages.runtime.atomic import write_text

FORMAT, VERSION = "maskmill grader", 1
LARGEST = 10_000_000  # bytes


@dataclass(frozen=True, slots=True, eq=False)
class Grader:
    """What foretells, for one kind of label, that it is right, and the IoU of its mask."""

    score: Additive
    mask_quality: Additive


def grader_text(graders: Mapping[str, Grader], about: Mapping[str, Any]) -> str:
    """JSON text of graders by kind; about : what they were fitted on, for people."""
    kinds = {
        kind: {name: _values(getattr(grader, name)) for name in Grader.__slots__}
        for kind, grader in graders.items()
    }
    whole = {"format": FORMAT, "version": VERSION, "about": dict(about), "kinds": kinds}
    return json.dumps(whole, indent=1, sort_keys=True) + "\n"


def write_graders(path: Path, graders: Mapping[str, Grader], about: Mapping[str, Any]) -> None:
    """Write a file, completely or not at all."""
    write_text(path, grader_text(graders, about))


def read_graders(path: Path) -> dict[str, Grader]:
    """The graders of a file, by kind of label.

    Raises
    ------
    ValueError : the file is missing, too large, or not what `write_graders` writes.
    """
    if not path.is_file() or path.stat().st_size > LARGEST:
        raise ValueError(f"{path}: no such file, or one of more than {LARGEST:,} bytes. Name a "
                         "grader in grade.model.")  # fmt: skip
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        if (whole["format"], whole["version"]) != (FORMAT, VERSION):
            raise ValueError(f"it says {whole['format']!r}, version {whole['version']!r}")
        return {
            kind: Grader(**{name: _model(values[name]) for name in Grader.__slots__})
            for kind, values in whole["kinds"].items()
            if kind in KINDS
        }
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{path}: not a grader of version {VERSION} ({type(error).__name__}: {error}). Name "
            "the shipped one, or write one with python -m stages.grading.train_grader."
        ) from None


def _values(model: Additive) -> dict[str, Any]:
    curves = {
        name: {
            "knots": curve.knots.tolist(),
            "values": curve.values.tolist(),
            "missing": curve.missing,
        }
        for name, curve in model.curves.items()
    }
    return {"constant": model.constant, "curves": curves}


def _model(values: Mapping[str, Any]) -> Additive:
    curves = {name: _curve(name, entry) for name, entry in values["curves"].items()}
    return Additive(curves, _number(values["constant"]))


def _curve(name: str, entry: Mapping[str, Any]) -> Curve:
    knots, values = (np.array([_number(x) for x in entry[key]]) for key in ("knots", "values"))
    if name not in EVIDENCE:
        raise ValueError(f"there is no evidence {str(name)[:40]!r}")
    if not len(knots) or len(knots) != len(values) or (np.diff(knots) <= 0).any():
        raise ValueError(f"the knots of {name} do not rise, or are not as many as its values")
    return Curve(knots, values, _number(entry["missing"]))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise ValueError(f"{str(value)[:40]!r} is no number")
    return float(value)
