"""Memory and cards: each state, by hand."""

import pytest

from stages.checkup.machine import cards_found, machine_found, memory_found

CARDS = [
    ("cpu", [], [], "ok"),
    ("cpu", [], None, "ok"),
    ("auto", [], [], "ok"),
    ("auto", ["A, 8 GiB"], [], "absent"),
    ("cuda", [], [], "missing"),
    ("cuda", ["A, 8 GiB"], [], "missing"),
    ("cuda", [], None, "missing"),
    ("cuda", ["A, 8 GiB"], ["A, 8 GiB"], "ok"),
]


@pytest.mark.parametrize(("device", "listed", "seen", "state"), CARDS)
def test_a_card_is_missing_where_the_config_wants_one(
    device: str, listed: list[str], seen: list[str] | None, state: str
) -> None:
    found = cards_found(device, listed, seen)
    assert found.state == state
    assert bool(found.remedy) == (state != "ok")


def test_little_memory_is_told() -> None:
    assert [memory_found(size).state for size in (None, 2.0, 16.0)] == ["ok", "wrong", "ok"]


def test_this_machine_has_cores() -> None:
    cores, *_ = machine_found("cpu", 3)
    assert cores.seen.endswith("3 thread(s) a job")
