"""The text of label_cost.md: every kind with its seconds, and how neighbours differ."""

from typing import Any

from stages.metrics.label_costs import label_costs
from stages.metrics.label_seconds import COUNTED
from stages.reporting.label_cost_table import label_cost_table
from tests.costed import pointed_metrics, tagged_metrics


def numbers(*values: float) -> dict[str, Any]:
    """Of tags and points with a seed for each of these AP."""
    runs = {
        "tags": [tagged_metrics(value) for value in values],
        "a|b": [pointed_metrics(value + 0.2) for value in values],
    }
    seconds = {"tags": [10.0] * len(values), "a|b": [15.0] * len(values)}
    return {
        "seeds": list(range(len(values))),
        "images": [5] * len(values),
        "seconds_each": dict.fromkeys(COUNTED, 1.5),
        "counts": {name: [dict.fromkeys(COUNTED, 7)] * len(values) for name in runs},
        **label_costs(runs, seconds, "fully_supervised"),
    }


def test_a_single_seed_has_no_spread_and_tells_nothing_apart() -> None:
    text = label_cost_table(numbers(0.3))
    assert "| **tags** | 10.0 | 20.0 | - | 30.0 | 40.0 | - |" in text
    assert "| **a\\|b** over tags | 1.50 | +20.00 (1/1) | - | +40.00 (1/1) | - |" in text


def test_differences_that_are_told_apart_have_a_star() -> None:
    text = label_cost_table(numbers(0.3, 0.4))
    assert "| **a\\|b** | 15.0 ± 0.0 |" in text
    assert "+20.00 ± 0.00 (2/2) \\*" in text
    assert "seeds: 0, 1; images: 5; classes asked for 1.5 s" in text
    assert "| tags | 7 | 7 | 7 | 7 | 7 |" in text
