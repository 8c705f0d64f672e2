"""Codes of many masks at once agree with each alone, and what pycocotools cannot take is told."""

import numpy as np
import pytest

from stages.geometry.codes import NO_CODE, code_areas
from stages.geometry.masks import masks_to_rles, rle_runs


def areas_of(*codes: bytes) -> list[int]:
    data = np.frombuffer(b"".join(codes), dtype=np.uint8)
    return code_areas(data, np.cumsum([0, *map(len, codes)])).tolist()


def alone(code: bytes) -> int:
    """The slow way: each code by itself."""
    try:
        runs = rle_runs(code)
    except ValueError:
        return NO_CODE
    return NO_CODE if runs.min(initial=0) < 0 else int(runs.sum())


def test_no_codes_have_no_areas() -> None:
    assert areas_of() == []
    assert areas_of(b"", b"") == [0, 0]


def test_a_code_fills_its_image() -> None:
    rng = np.random.default_rng(0)
    masks = [rng.random((9, 13)) < share for share in (0.0, 0.1, 0.5, 0.9, 1.0)]
    codes = [masks_to_rles(mask[None])[0]["counts"] for mask in masks]
    assert areas_of(*codes) == [9 * 13] * 5


ODD = {
    "a sign that no code has": b"\xff0",
    "an end within a number": b"1P",
    "a run beyond 32 bits": b"PPPPPPPPPPPP0",
    "a negative run": b"O",
    "a third run that falls below nothing": b"11N1",
}


@pytest.mark.parametrize("code", ODD.values(), ids=ODD.keys())
def test_what_is_no_code_is_told_and_spoils_no_neighbour(code: bytes) -> None:
    assert areas_of(b"4", code, b"", b"22") == [4, NO_CODE, 0, 4]


def test_many_codes_at_once_are_as_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    sound = [masks_to_rles(rng.random((1, 7, 5)) < 0.4)[0]["counts"] for _ in range(200)]
    codes = [_spoiled(code, rng) if rng.random() < 0.5 else code for code in sound]
    wanted = [alone(code) for code in codes]
    assert areas_of(*codes) == wanted
    assert NO_CODE in wanted
    assert 35 in wanted
    monkeypatch.setattr("stages.geometry.codes.TOGETHER", 40)
    assert areas_of(*codes) == wanted


def _spoiled(code: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(code)
    data[rng.integers(len(data))] = rng.integers(40, 120)
    return bytes(data[: rng.integers(len(data) + 1)])
