"""Halves: even enough, fixed by id and seed, and each judged by the other's detector."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.engines.halves import ALL, HALVES, Judges, half_of, judges_of
from stages.learning.model_file import to_bytes

ONE, TWO, WHOLE = Path("one.pt"), Path("two.pt"), Path("whole.pt")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_halves_are_even_enough(seed: int) -> None:
    first = sum(half_of(number, seed) == 1 for number in range(1000))
    assert 450 < first < 550  # three standard deviations of a fair coin are 47
    inside = [half_of(4 * number, seed) == 1 for number in range(200)]  # as ids of one shard may be
    assert 79 < sum(inside) < 121


def test_the_half_of_an_image_is_that_of_its_id_and_seed() -> None:
    found = [half_of(number, 7) for number in range(64)]
    assert found == [half_of(number, 7) for number in range(64)]
    assert set(found) == set(HALVES)
    assert found != [half_of(number, 8) for number in range(64)]


def test_each_image_is_judged_by_the_model_that_has_not_learned_from_it() -> None:
    judges = Judges({1: ONE, 2: TWO}, seed=3)
    for number in range(64):
        assert judges.of(number) == (TWO if half_of(number, 3) == 1 else ONE)
    assert {Judges({ALL: WHOLE}, seed=3).of(number) for number in range(64)} == {WHOLE}


def model(folder: Path, name: str, **header: Any) -> Path:
    path = folder / name
    path.write_bytes(to_bytes({"state": {}, "header": json.dumps(header)}))
    return path


def test_models_are_told_apart_by_their_headers_in_any_order(tmp_path: Path) -> None:
    whole = model(tmp_path, "whole.pt", seed=5)
    assert judges_of([whole]) == Judges({ALL: whole}, 5)
    one, two = (model(tmp_path, f"{half}.pt", half=half, seed=5) for half in HALVES)
    assert judges_of([two, one]) == Judges({1: one, 2: two}, 5)


WRONG = {
    "one half": [{"half": 1, "seed": 5}],
    "one half twice": [{"half": 1, "seed": 5}, {"half": 1, "seed": 5}],
    "other seeds": [{"half": 1, "seed": 5}, {"half": 2, "seed": 6}],
    "a half and all": [{"half": 1, "seed": 5}, {"seed": 5}],
    "all twice": [{"seed": 5}, {"seed": 5}],
}


@pytest.mark.parametrize("headers", WRONG.values(), ids=list(WRONG))
def test_other_models_are_refused_with_what_they_learned_from(
    headers: list[dict[str, Any]], tmp_path: Path
) -> None:
    paths = [model(tmp_path, f"{number}.pt", **one) for number, one in enumerate(headers)]
    with pytest.raises(ValueError, match=r"0\.pt from (half 1|all).*two halves of one seed"):
        judges_of(paths)
