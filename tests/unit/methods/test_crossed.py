"""Predictions of one detector are refused where two are asked for, and the other way round."""

from pathlib import Path

import pytest

from stages.methods.crossed import check_judge
from stages.tables.predictions import CROSSED

PAIR = {CROSSED: ["a", "b"]}


@pytest.mark.parametrize(("is_crossed", "header"), [(False, {}), (True, PAIR)])
def test_the_judges_that_the_key_names_are_taken(is_crossed: bool, header: dict[str, str]) -> None:
    check_judge(is_crossed, header, Path("seen.parquet"))


@pytest.mark.parametrize(
    ("is_crossed", "header", "words"),
    [(False, PAIR, "is false, but .* two detectors"), (True, {}, "is true, but .* one detector")],
)
def test_other_judges_are_refused(is_crossed: bool, header: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=rf"cross_fit {words}"):
        check_judge(is_crossed, header, Path("seen.parquet"))
