"""What an ablation runs and compares."""

from typing import Any

from stages.planning.comparison import Comparison
from stages.planning.homes import Case
from tests.small_config import compared, plan


def _comparison(**changes: Any) -> Comparison:
    return plan(**changes).comparison


def test_the_comparison_runs_every_variant_with_every_seed() -> None:
    found = plan(**compared("top1", "full", detectors=("full", "fully_supervised")))
    assert found.metrics == tuple(
        f"results/r/seed-{seed}/{name}/evaluate/metrics.json"
        for name in ("top1", "full")
        for seed in (1, 2)
    )
    assert found.detector_metrics == tuple(
        f"results/r/seed-1/{name}/evaluate/metrics.json" for name in ("full", "fully_supervised")
    )
    assert found.comparison.cases()[0] == Case("v")
    assert len(found.comparison.cases()) == 1 + 4 + 1  # `full` with seed 1 is both


def test_only_named_detectors_with_their_seeds_are_trained() -> None:
    found = _comparison(**compared("top1", "full", detectors=("full", "truth")))
    for case, wanted in (
        (Case("v"), True),
        (Case("full", 1), True),
        (Case("full", 2), False),
        (Case("top1", 1), False),
        (Case("truth", 1), True),
    ):
        assert found.has_detector(case) == wanted, case


def test_detectors_without_labels_among_the_variants_are_left_out() -> None:
    names = ("full", "paste", "merged", "truth", "fully_supervised")
    changes = compared("full", detectors=names)
    with_truth, without = (
        _comparison(**changes, dataset__ground_truth=truth) for truth in (True, False)
    )
    assert with_truth.detectors == ("full", "paste", "truth", "fully_supervised")
    assert without.detectors == ("full", "paste")
    assert with_truth.over["paste"] == "full"
    assert with_truth.over["truth"] is None


def test_without_held_out_images_no_detector_is_trained() -> None:
    found = _comparison(train__enabled=False, **compared("full", detectors=("full",)))
    assert found.detectors == ()
    assert not found.has_detector(Case("v"))
