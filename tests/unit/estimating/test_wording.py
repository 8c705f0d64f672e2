"""An estimate in words."""

import pytest

from stages.estimating.asks import Asks
from stages.estimating.counts import Counts
from stages.estimating.forecast import NOT_MODELLED, Row
from stages.estimating.wording import (
    disk_text,
    duration,
    labels_text,
    prompts_text,
    rows_text,
    size,
    total_text,
    unknown_text,
)

KNOWN = Row("propose", 2, Asks({"points": 1200}, 30), 2.5e12, 90.0, False, 812.0, "tried here")
UNKNOWN = Row("train", 1, Asks(steps=9), None, None, False, None, f"9 steps, {NOT_MODELLED}")
NONE = Counts(0, 0, 0, 0, 0, 0, 0, 0, 0, "of nothing")
TIMES = [(None, "?"), (0.0062, "6.2 ms"), (0, "0.0 ms"), (59, "59.0 s"), (90, "1.5 min"),
         (7200, "2.0 h"), (172800, "2.0 days")]  # fmt: skip


@pytest.mark.parametrize(("seconds", "text"), TIMES)
def test_seconds_are_told_as_people_say_them(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text
    assert duration(90, at_least=True) == "> 1.5 min"


def test_sizes_are_told_in_their_unit() -> None:
    assert [size(n) for n in (0, 2500, 4.2e6, 3.1e9, 2e12)] == [
        *("0.0 kB", "2.5 kB", "4.2 MB", "3.1 GB", "2.0 TB")
    ]


def test_labels_and_prompts_are_told_by_kind() -> None:
    assert labels_text(NONE) == "none (of nothing)"
    counts = Counts(3, 0, 1200, 0, 5, 0, 0, 0, 0, "by hand")
    assert labels_text(counts) == "1,200 points, 5 tags (by hand)"
    asks = Asks({"grid points": 64, "peaks": None})
    assert prompts_text("propose", asks) == "propose: 64 grid points, ? peaks"


def test_the_table_says_what_each_line_rests_on() -> None:
    head, known, unknown = rows_text([KNOWN, UNKNOWN]).splitlines()
    assert head.split()[:4] == ["stage", "jobs", "prompts", "looks"]
    assert known.split() == [*"propose 2 1,200 30 2.5 1.5 min 812 tried here".split()]
    assert unknown.split() == [*"train 1 - - - ? - 9 steps, not modelled".split()]


def test_the_total_is_of_what_is_known() -> None:
    assert total_text([UNKNOWN], 2) == "total: not known"
    text = total_text([KNOWN, UNKNOWN], 2)
    assert text == "total: > 1.5 min of jobs one after the other; up to 2 at once; without train"
    assert total_text([KNOWN], 1) == "total: 1.5 min of jobs one after the other"


def test_what_is_not_known_is_named() -> None:
    text = unknown_text([KNOWN, UNKNOWN], NONE, 3, ["memory of that GPU"])
    for words in ("memory of that GPU", "time of train", "rounds 2 to 3", "label_cost"):
        assert words in text
    assert "peaks" not in text
    assert "time of" not in unknown_text([KNOWN], NONE, 1, [])


def test_a_disk_that_is_too_small_is_told() -> None:
    assert "enough" in disk_text({}, 1e9)
    assert "NOT ENOUGH" in disk_text({"embeddings": 2e9}, 1e9)
