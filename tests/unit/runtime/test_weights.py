"""Weights are opened where they are finite, and the place of what is not is told."""

import math
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from stages.runtime.weights import finite_weights

HALF = torch.full((9,), 60_000.0, dtype=torch.float16)  # whose sum is beyond its type
SOUND: dict[str, Any] = {
    "nothing": {},
    "numbers": {"a": torch.ones(2), "n": torch.tensor(3), "b": torch.tensor([True])},
    "none": {"a": torch.zeros(0)},
    "large ones": {
        "a": HALF,
        "b": torch.tensor([3e38, 3e38]),
        "c": torch.full((2,), 1e308, dtype=torch.float64),
    },
    "nested": {"a": [{"b": torch.ones(1)}, 5, "text", None]},
}
ODD = {
    "NaN": ({"a": {"b": torch.tensor([1.0, math.nan])}}, "a.b"),
    "infinite": ({"a": [torch.ones(1), torch.tensor([-math.inf])]}, r"a\[1\]"),
    "half": ({"a": torch.tensor([math.inf], dtype=torch.float16)}, "a"),
    "both infinite": ({"a": torch.tensor([math.inf, -math.inf])}, "a"),
}


@pytest.mark.parametrize("state", SOUND.values(), ids=SOUND.keys())
def test_finite_weights_are_opened(tmp_path: Path, state: Any) -> None:
    torch.save(state, tmp_path / "w.pt")
    assert finite_weights(tmp_path / "w.pt").keys() == state.keys()


@pytest.mark.parametrize(("state", "place"), ODD.values(), ids=ODD.keys())
def test_what_is_not_finite_is_refused_with_its_place(
    tmp_path: Path, state: Any, place: str
) -> None:
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(ValueError, match=f"not all numbers of {place} are finite"):
        finite_weights(tmp_path / "w.pt")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "w.pt")
    with pytest.raises(ValueError, match="no regular file"):
        finite_weights(tmp_path / "w.pt")
