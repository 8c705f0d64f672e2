"""Model files: equal bytes, and whatever is none is refused with what to do."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from stages.learning import model_file


def test_model_files_round_trip_with_the_same_bytes(tmp_path: Path) -> None:
    network = nn.Linear(2, 1)
    model_file.save_model(tmp_path / "a.pt", network, {"seed": 1})
    model_file.save_model(tmp_path / "another-name.pt", network, {"seed": 1})
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "another-name.pt").read_bytes()
    state, header = model_file.load_model(tmp_path / "a.pt")
    assert header == {"seed": 1}
    assert torch.equal(state["weight"], network.weight)


def _saved(**changes: Any) -> Callable[[Path], Any]:
    sound = {"state": {"weight": torch.zeros(2)}, "header": "{}"}
    return lambda path: torch.save({**sound, **changes}, path)


BAD: dict[str, Callable[[Path], Any]] = {
    "missing": lambda path: None,
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_bytes(b"not a model"),
    "a folder": lambda path: path.mkdir(),
    "a list": lambda path: torch.save([1], path),
    "not finite": _saved(state={"weight": torch.tensor([0.0, math.inf])}),
    "no tensors": _saved(state={"weight": "a"}),
    "no state": _saved(state=[]),
    "no header": _saved(header=None),
    "a list as its header": _saved(header="[]"),
    "a header too deep": _saved(header="[" * 100_000),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_bad_model_files_are_refused(tmp_path: Path, bad: Callable[[Path], Any]) -> None:
    bad(tmp_path / "m.pt")
    with pytest.raises(ValueError, match=r"m\.pt: .*[Rr]un snakemake") as caught:
        model_file.load_model(tmp_path / "m.pt")
    assert "\n" not in str(caught.value)


def test_what_is_not_finite_is_named(tmp_path: Path) -> None:
    _saved(state={"a": torch.zeros(2), "b": torch.tensor([math.nan])})(tmp_path / "m.pt")
    with pytest.raises(ValueError, match=r"not all numbers of state\.b are finite"):
        model_file.load_model(tmp_path / "m.pt")


def test_weights_of_another_network_and_headers_that_lack_a_key_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.pt"
    with pytest.raises(ValueError, match=r"m\.pt: does not fit these settings \(.*Remove it"):
        model_file.put_weights(nn.Linear(2, 1), {"weight": torch.zeros(9)}, path)
    with pytest.raises(ValueError, match=r"m\.pt: its header does not tell its seed\. Remove it"):
        model_file.of_header(json.loads("{}"), "seed", path)


def test_a_model_file_cannot_run_code(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "exploded",))

    torch.save({"state": Bomb(), "header": "{}"}, tmp_path / "m.pt")
    with pytest.raises(ValueError, match="not a model file"):
        model_file.load_model(tmp_path / "m.pt")
    assert not (tmp_path / "exploded").exists()
