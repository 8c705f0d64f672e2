import numpy as np
import pytest

from stages.partworld.classes import CLASSES
from stages.partworld.layout import SIDE, lone, overlap, plan


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ((20.0, 0.0, 30.0, 10.0), 0.0),
        ((10.0, 0.0, 20.0, 10.0), 0.0),
        ((5.0, 0.0, 15.0, 10.0), 0.5),
        ((2.0, 2.0, 4.0, 4.0), 1.0),
    ],
    ids=["apart", "touching", "half", "inside"],
)
def test_overlap_is_the_share_of_the_smaller_box(
    other: tuple[float, float, float, float], expected: float
) -> None:
    box = (0.0, 0.0, 10.0, 10.0)
    assert overlap(box, other) == pytest.approx(expected)
    assert overlap(other, box) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(30))
def test_a_plan_has_objects_from_back_to_front_within_reach_of_the_image(seed: int) -> None:
    placements = plan(np.random.default_rng(seed))
    assert any(item.category_id for item in placements)
    bottoms = [item.y for item in placements]
    assert bottoms == sorted(bottoms)
    for item in placements:
        assert item.width > 0
        assert item.height > 0
        assert -0.2 * SIDE < item.x < SIDE
        assert 0 < item.y < 1.2 * SIDE


def test_a_cluster_holds_one_class() -> None:
    for seed in range(40):
        classes: dict[int, set[int]] = {}
        for item in plan(np.random.default_rng(seed)):
            classes.setdefault(item.cluster, set()).add(item.category_id)
        assert all(len(found) == 1 for found in classes.values())


def test_clusters_of_one_and_of_many_both_occur() -> None:
    sizes = set()
    for seed in range(60):
        clusters = [i.cluster for i in plan(np.random.default_rng(seed)) if i.category_id]
        sizes |= {clusters.count(number) for number in clusters}
    assert {1, 2, 3} <= sizes


def test_a_lone_object_is_of_any_class_and_of_many_sizes() -> None:
    found = [lone(np.random.default_rng(seed)) for seed in range(300)]
    assert all(len(placements) == 1 for placements in found)
    placements = [placement for (placement,) in found]
    assert {item.category_id for item in placements} == set(range(1, len(CLASSES) + 1))
    sides = [max(item.width, item.height) / SIDE for item in placements if item.angle < 8]
    assert min(sides) < 0.35
    assert max(sides) > 0.85
    assert {item.flip for item in placements} == {False, True}
