"""Peaks against golden numbers and an obvious loop; clusters of points that lie apart."""

import itertools
import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch

from stages.mil.clue_maps import normalised_maps
from stages.mil.peaks import Peak, clustered, peak_points

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "weaksam.json").read_text())
CASES = GOLDEN["peak_points"]["cases"]
Rule = Literal["paper", "code"]


def drawn(shape: list[int], pixels: list[list[float]]) -> np.ndarray:
    """A normalised map with these pixels (y, x, value) above 0: (1, h, w)."""
    plain = np.zeros((1, *shape), np.float32)
    for y, x, value in pixels:
        plain[0, int(y), int(x)] = value
    return normalised_maps(torch.from_numpy(plain)).numpy()


def found(maps: np.ndarray, **more: Any) -> list[tuple[int, int]]:
    return [(peak.x, peak.y) for peak in peak_points(maps, **more)[0]]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_peaks_of_the_golden_cases(case: dict[str, Any]) -> None:
    maps = drawn(case["shape"], case["nonzero_yxv"])
    more = {"kernel": case["kernel"], "threshold": case["tau"], "most": case["topk"]}
    seen = peak_points(maps, **more)[0]
    wanted = [(p["x"], p["y"]) for p in case["expected_paper"]]
    assert [(peak.x, peak.y) for peak in seen] == wanted
    assert [p.value for p in seen] == pytest.approx([p["v"] for p in case["expected_paper"]])


def test_the_codes_rule_keeps_what_is_two_steps_away_on_a_plateau() -> None:
    """As many as the authors' code keeps; which, of equal peaks, it leaves to an unstable sort."""
    case = CASES[1]
    seen = found(drawn(case["shape"], case["nonzero_yxv"]), kernel=5, distance="code")
    assert seen == [(2, 2), (3, 3), (6, 6)]
    assert len(seen) == len(case["expected_authors"])


def looped(m: np.ndarray, kernel: int, tau: float, most: int, rule: Rule) -> list[Peak]:
    """Algorithm 1, pixel by pixel."""
    if m.max() == m.min():
        return []
    height, width = m.shape
    reach, candidates = (kernel - 1) // 2, []
    for y, x in itertools.product(range(height), range(width)):
        window = m[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
        if m[y, x] > 0 and m[y, x] == window.max():
            candidates.append(Peak(x, y, float(m[y, x])))
    kept: list[Peak] = []
    for peak in sorted(candidates, key=lambda p: -p.value)[:most]:
        away = [(abs(peak.x - q.x), abs(peak.y - q.y)) for q in kept]
        if rule == "paper":
            near = any((dx**2 + dy**2) ** 0.5 <= kernel / 2 for dx, dy in away)
        else:
            near = any(dx + dy < (kernel - 1) // 2 for dx, dy in away)
        if not near and peak.value >= tau:
            kept.append(peak)
    return kept


@pytest.mark.parametrize("rule", ["paper", "code"])
@pytest.mark.parametrize("kernel", [1, 3, 7, 41])
def test_peaks_equal_the_loop(rule: Rule, kernel: int) -> None:
    rng = np.random.default_rng(0)
    smooth = np.kron(rng.random((3, 4, 5)), np.ones((1, 3, 3)))  # plateaus
    rough = rng.integers(0, 12, (3, 12, 15)) / 11
    for m in [*smooth, *rough]:
        for most, tau in ((25, 0.5), (3, 0.9)):
            more = {"threshold": tau, "most": most, "distance": rule}
            seen = peak_points(m[None], kernel=kernel, **more)
            assert seen == [looped(m, kernel, tau, most, rule)]


EDGES: list[tuple[str, np.ndarray, list[list[tuple[int, int]]]]] = [
    ("no map", np.zeros((0, 5, 5)), []),
    ("no pixel", np.zeros((1, 0, 5)), [[]]),
    ("flat at 0", np.zeros((1, 5, 5)), [[]]),
    ("flat at 1", np.ones((1, 5, 5)), [[]]),
    ("fewer pixels than candidates", np.array([[[0.0, 1.0], [0.2, 0.1]]]), [[(1, 0)]]),
    ("one row", np.array([[[1.0, 0, 0, 0, 0.95]]]), [[(0, 0), (4, 0)]]),
    (
        "maps of one image",
        np.array([[[1.0, 0]], [[0.5, 0.5]], [[0, 1.0]]]),
        [[(0, 0)], [], [(1, 0)]],
    ),
]


@pytest.mark.parametrize(("maps", "wanted"), [e[1:] for e in EDGES], ids=[e[0] for e in EDGES])
def test_peaks_at_the_edges(maps: np.ndarray, wanted: list[list[tuple[int, int]]]) -> None:
    seen = peak_points(maps, kernel=3)
    assert [[(p.x, p.y) for p in peaks] for peaks in seen] == wanted


def test_every_map_that_is_not_flat_has_a_peak() -> None:
    rng = np.random.default_rng(1)
    maps = normalised_maps(torch.from_numpy(rng.normal(size=(50, 9, 7)))).numpy()
    assert all(peak_points(maps, kernel=129, threshold=0.99))


@pytest.mark.parametrize("kernel", [2, 128])
def test_even_kernels_are_refused(kernel: int) -> None:
    with pytest.raises(ValueError, match=rf"kernel of {kernel} px.*Set {kernel + 1}\."):
        peak_points(np.zeros((1, 9, 9)), kernel=kernel)


def clusters(points: list[Any], per: int = 5, seed: int = 0) -> list[list[int]]:
    given = np.array(points, dtype=int).reshape(-1, 2)
    return clustered(given, per_cluster=per, rng=np.random.default_rng(seed)).centres.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_clusters_of_the_golden_case(seed: int) -> None:
    case = GOLDEN["cluster_instance_prompts"]
    assert clusters(case["points_xy"], seed=seed) == case["expected_centroids_int"]
    given = np.array(case["points_xy"])
    found = clustered(given, per_cluster=5, rng=np.random.default_rng(seed))
    assert found.members.tolist() == [0] * 5 + [1] * 5


@pytest.mark.parametrize(
    ("count", "wanted"), GOLDEN["cluster_instance_prompts"]["n_clusters_rule"].items()
)
def test_number_of_clusters(count: str, wanted: int) -> None:
    spread = [[100 * i, 7 * i] for i in range(int(count))]
    assert len(clusters(spread)) == wanted


def test_no_point_gives_no_cluster() -> None:
    assert clusters([]) == []


def test_fewer_distinct_points_than_clusters_are_the_clusters() -> None:
    assert clusters([[9, 1], [3, 4]] * 10) == [[9, 1], [3, 4]]
    assert clusters([[3, 4]] * 10) == [[3, 4]]


def test_centres_are_cut_to_whole_numbers_and_stand_once() -> None:
    assert clusters([[0, 0], [1, 1], [1, 1]]) == [[0, 0]]
    members = clustered(
        np.array([[0, 0], [50, 9], [51, 9]]), per_cluster=1, rng=np.random.default_rng(0)
    )
    assert members.centres[members.members].tolist() == [[0, 0], [50, 9], [51, 9]]
