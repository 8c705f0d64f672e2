"""What a method did on the way to the pseudo-labels of one image, from rows of table `trail`."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

BOXES = {"box_psm": "psm", "box_select": "prm", "box_prm": "prm_bms"}  # name in metrics.json: step
RULED = "prm_bms"  # the step whose note is the rule of BMS that moved the box
Steps = dict[str, dict[str, Any]]


def steps_of(trail: pa.Table | None) -> dict[int, Steps]:
    """Rows by instance and by the name of the step; of two of a name the later one.

    Parameters
    ----------
    trail : rows of one image; None for no rows.
    """
    found: dict[int, Steps] = {}
    for row in trail.to_pylist() if trail is not None else []:
        found.setdefault(row["instance_id"], {})[row["name"]] = row
    return found


def chosen_of(steps: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """proposal_id of each step of one object that stands on a proposal."""
    return {
        name: row["proposal_id"] for name, row in steps.items() if row["proposal_id"] is not None
    }


def refined_of(steps: Mapping[str, Mapping[str, Any]]) -> dict[str, list[float]] | None:
    """The boxes of PSM, PRM and BMS of one object, by their names in BOXES; None unless all are."""
    boxes = {name: steps[step]["box"] for name, step in BOXES.items() if step in steps}
    is_whole = len(boxes) == len(BOXES) and None not in boxes.values()
    return boxes if is_whole else None
