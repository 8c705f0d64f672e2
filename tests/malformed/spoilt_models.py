"""How a weight file is spoilt by who writes it again; ours have a state and a header."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tests.malformed.spoiling import CUT, NO_FILE, Spoil

State = dict[str, Any]


def _saved(change: Callable[[Any], Any]) -> Spoil:
    def spoil(path: Path) -> None:
        torch.save(change(torch.load(path, map_location="cpu", weights_only=True)), path)

    return spoil


def _state(change: Callable[[State], State]) -> Spoil:
    """Other weights, within ours or alone."""

    def changed(saved: State) -> State:
        return {**saved, "state": change(saved["state"])} if "state" in saved else change(saved)

    return _saved(changed)


def _first(value: Callable[[torch.Tensor], Any]) -> Spoil:
    """The first tensor of numbers is another one."""

    def changed(state: State) -> State:
        name = next(key for key, each in state.items() if each.is_floating_point())
        return {**state, name: value(state[name])}

    return _state(changed)


class Bomb:
    """What would run code where a file is opened carelessly."""

    def __reduce__(self) -> Any:
        return (Path("exploded").touch, ())


WEIGHTS: dict[str, Spoil] = {
    **CUT,
    **NO_FILE,
    "NaN": _first(lambda each: torch.full_like(each, float("nan"))),
    "infinite": _first(lambda each: each * float("inf")),
    "another shape": _first(lambda each: torch.zeros(3, 1, 2)),
    "text for a tensor": _first(lambda each: "text"),
    "a weight gone": _state(lambda state: dict(list(state.items())[1:])),
    "a weight more": _state(lambda state: {**state, "odd": torch.zeros(1)}),
    "a list": _saved(lambda saved: [1]),
    "nothing in it": _saved(lambda saved: {}),
    "code": lambda path: torch.save(Bomb(), path),
}
OURS: dict[str, Spoil] = {
    "no header": _saved(lambda saved: {"state": saved["state"]}),
    "a header that is no text": _saved(lambda saved: {**saved, "header": 5}),
    "a header that is no JSON": _saved(lambda saved: {**saved, "header": "{"}),
    "a list for a header": _saved(lambda saved: {**saved, "header": "[]"}),
    "a header too deep": _saved(lambda saved: {**saved, "header": "[" * 100_000}),
}
