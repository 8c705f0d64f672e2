"""Small JSON files beside the results in which planning notes what it found. Standard library."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from stages.runtime.atomic import write_text


def read_notes(path: Path) -> dict[str, Any]:
    """What was noted there last; nothing where the file is missing or damaged."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def add_notes(path: Path, values: Mapping[str, Any]) -> None:
    """Lay `values` over what the file says; nothing is written where it says so already.

    Nor on a full disk: what is not noted is found again, and a job will say that it has no room.
    """
    former = read_notes(path)
    if {**former, **values} != former:
        with suppress(OSError):
            write_text(path, json.dumps({**former, **values}, indent=1, sort_keys=True) + "\n")
