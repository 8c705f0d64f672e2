"""Query drop against the golden cases, a slow loop, and what must not change."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.mil.query_drop import (
    kept_jointly,
    kept_queries,
    normalised_losses,
    query_losses,
)

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "golden" / "weaksam.json").read_text()
)["query_drop"]


def slow_kept(losses: list[float], percentile: int, exempt: list[bool]) -> list[bool]:
    """The k largest of the ranked ones go, but for ties with the next."""
    ranked = sorted((x for x, fixed in zip(losses, exempt, strict=True) if not fixed), reverse=True)
    number = (len(ranked) * (100 - percentile)) // 100
    if number == 0:
        return [True] * len(losses)
    limit = ranked[number] if number < len(ranked) else -1.0
    return [fixed or x <= limit for x, fixed in zip(losses, exempt, strict=True)]


def test_no_queries_keep_nothing_and_lose_nothing() -> None:
    assert kept_queries(torch.zeros(0)).tolist() == []
    assert normalised_losses(torch.zeros(0)).tolist() == []
    assert [part.tolist() for part in kept_jointly(torch.zeros(0), torch.zeros(0))] == [[], []]
    assert query_losses({"cls": torch.zeros(0)}, torch.zeros(0).bool(), average=1.0)["cls"] == 0


@pytest.mark.parametrize("case", GOLDEN["cases"])
def test_the_golden_cases(case: dict[str, Any]) -> None:
    kept = kept_queries(torch.tensor(case["fg_loss"]), percentile=case["tau"])
    assert kept.int().tolist() == case["expected_d"]


def test_the_golden_normalisation() -> None:
    golden = GOLDEN["normalisation"]
    for group in ("fg", "bg"):
        seen = normalised_losses(torch.tensor(golden[f"{group}_loss"]))
        assert seen.tolist() == pytest.approx(golden[f"norm_{group}"], abs=1e-6)
    constant = golden["constant_group"]
    assert normalised_losses(torch.tensor(constant["in"])).tolist() == constant["out"]


def test_the_golden_joint_percentile_keeps_every_matched_query() -> None:
    losses = (torch.tensor(GOLDEN["normalisation"][key]) for key in ("fg_loss", "bg_loss"))
    kept, _ = kept_jointly(*losses)
    assert kept.int().tolist() == GOLDEN["joint_percentile_variant"]["expected_d_fg_lower"]


def test_jointly_a_sea_of_background_drops_nearly_every_object() -> None:
    """Why the percentile is not read jointly: the reason that the docstring gives."""
    background = torch.full((1000,), 0.001).index_fill(0, torch.tensor([0]), 5.0)
    kept, _ = kept_jointly(torch.tensor([0.2, 0.3, 0.4, 3.0]), background)
    assert kept.tolist() == [True, False, False, False]  # the least of them became 0
    assert kept_queries(torch.tensor([0.2, 0.3, 0.4, 3.0])).all()


@pytest.mark.parametrize("count", [1, 9, 10, 11, 20, 29, 30, 100])
def test_ten_percent_of_the_batch_go_and_no_more(count: int) -> None:
    """Of ten exactly one: 10 * (1 - 90 / 100) is 0.99 in floats."""
    kept = kept_queries(torch.arange(count, dtype=torch.float32))
    assert int((~kept).sum()) == count // 10
    assert kept[: count - count // 10].all()


@pytest.mark.parametrize("seed", range(6))
def test_ranks_are_those_of_a_slow_loop_with_ties_and_exempt_queries(seed: int) -> None:
    rng = np.random.default_rng(seed)
    losses = (rng.integers(0, 12, 40) / 4).tolist()
    exempt = (rng.random(40) < 0.3).tolist()
    for percentile in (0, 50, 80, 90, 100):
        seen = kept_queries(
            torch.tensor(losses), percentile=percentile, exempt=torch.tensor(exempt)
        )
        assert seen.tolist() == slow_kept(losses, percentile, exempt)


def test_a_denoising_query_is_kept_whatever_its_loss_and_moves_no_rank() -> None:
    losses = torch.tensor([*range(10), 99, 98], dtype=torch.float32)
    exempt = torch.tensor([False] * 10 + [True, True])
    kept = kept_queries(losses, exempt=exempt)
    assert kept.tolist() == [*[True] * 9, False, True, True]


def test_equal_losses_are_all_kept() -> None:
    assert kept_queries(torch.full((50,), 0.7)).all()


def test_a_dropped_query_has_no_gradient_and_leaves_the_average() -> None:
    losses = torch.arange(10, dtype=torch.float32, requires_grad=True)
    kept = kept_queries(losses)
    assert not kept.requires_grad
    total = query_losses({"cls": losses, "giou": losses * 2}, kept, average=10.0)
    assert total["cls"].item() == pytest.approx(3.6)  # 0 + ... + 8, over all ten
    (total["cls"] + total["giou"]).backward()
    assert losses.grad is not None
    assert losses.grad.tolist() == pytest.approx([0.3] * 9 + [0.0])


def test_a_percentile_beyond_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="percentile must be in 0 to 100, seen 101"):
        kept_queries(torch.ones(3), percentile=101)
