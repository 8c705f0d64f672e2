"""The tiny run of two rounds: the second judges the labels of the first."""

from typing import Any

from tests.workflow.workspace import TINY, merged

TWICE: dict[str, Any] = {
    "shards": 2,
    "variant": "twice",
    "rounds": 2,
    "again": {"refine": {"method": "relabel", "zoom": {"enabled": True}}},
    "report": {"variants": ["twice"], "detectors": [], "detector_seeds": []},
}


def tiny_twice(*changes: dict[str, Any]) -> dict[str, Any]:
    """Settings of the tiny run of two rounds, with these changes."""
    return merged(TINY, TWICE, *changes)
