"""Peaks as prompts, from maps of any provider: here Gaussian blobs, whose tops are known."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from stages.learning.clue_networks import Looks
from stages.methods.prompters.clues import Clues
from stages.settings.prompters.clues import Settings
from stages.tables.checks import validate
from stages.tables.prompts import PROMPTS
from tests.bag_tables import images, label, labels

IMAGE = images().to_pylist()[0]  # 40 x 100 px
ORDER = {10: 0, 20: 1, 30: 2}
Blob = tuple[int, int, float]  # x, y, height


class Blobs:
    """Another source of maps: a blob about each of some points, on a plane of 0.

    blobs : by name of the map and column of the class, or number of the map of cross-attention.
    """

    def __init__(self, **blobs: Mapping[int, Sequence[Blob]]):
        self.blobs = blobs
        self.asked: list[tuple[Any, ...]] = []

    def maps(
        self, image: Mapping[str, Any], columns: Sequence[int], looks: Looks
    ) -> dict[str, np.ndarray]:
        self.asked.append((image["image_id"], tuple(columns), looks))
        found = {}
        for name in looks.names:
            own = self.blobs[name]
            keys = sorted(own) if name == "cross" else columns
            found[name] = np.stack([drawn(image, own.get(key, ())) for key in keys])
        return found


def drawn(image: Mapping[str, Any], blobs: Sequence[Blob]) -> np.ndarray:
    y, x = np.mgrid[: image["height"], : image["width"]]
    plane = np.zeros((image["height"], image["width"]), np.float32)
    for cx, cy, high in blobs:
        near = high * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 18)
        plane = np.maximum(plane, near.astype(np.float32))
    return plane


def tag(label_id: int, category_id: int, **more: Any) -> dict[str, Any]:
    return label(1, label_id, "tag", category_id=category_id, **more)


def prompts(provider: Blobs, *rows: dict[str, Any], seed: int = 0, **keys: Any) -> list[Any]:
    clues = Clues(provider, Settings(**keys), order=ORDER, seed=seed)
    table = clues.prompts(IMAGE, labels(*rows))
    validate(table, PROMPTS, "prompts")
    found: list[Any] = table.to_pylist()
    assert [row["prompt_id"] for row in found] == list(range(len(found)))
    assert all((row["image_id"], row["bag_id"], row["box"]) == (1, -1, None) for row in found)
    return found


def told(rows: list[Any]) -> list[tuple[Any, ...]]:
    return [(r["kind"], r["category_id"], r["source_map"], r["points"]) for r in rows]


@pytest.mark.parametrize(
    "rows",
    [(), (label(1, 5),), (tag(5, 10, status="deleted"),)],
    ids=["no label", "no tag", "deleted"],
)
def test_an_image_without_tags_asks_nothing_and_is_not_looked_at(rows: Any) -> None:
    provider = Blobs(coarse={0: [(5, 5, 1.0)]})
    assert prompts(provider, *rows) == []
    assert provider.asked == []


def test_each_peak_is_asked_alone_and_all_of_a_class_together() -> None:
    provider = Blobs(coarse={0: [(70, 30, 0.95), (20, 10, 1.0)], 2: [(50, 20, 1.0)], 1: []})
    seen = prompts(provider, tag(1, 30), tag(2, 10))
    assert told(seen) == [
        ("peak", 10, "coarse", [[20.5, 10.5]]),
        ("peak", 10, "coarse", [[70.5, 30.5]]),
        ("peaks", 10, "coarse", [[20.5, 10.5], [70.5, 30.5]]),
        ("peak", 30, "coarse", [[50.5, 20.5]]),  # a joint prompt of one would ask the same again
    ]
    assert [row["value"] for row in seen] == [1, pytest.approx(0.95), None, 1]
    assert [row["point_signs"] for row in seen] == [[1], [1], [1, 1], [1]]
    assert provider.asked == [(1, (0, 2), Looks(("coarse",), (1.0, 0.8, 1.2), True, None))]


def test_without_joint_prompts_peaks_stand_alone() -> None:
    provider = Blobs(coarse={0: [(70, 30, 0.95), (20, 10, 1.0)]})
    assert [row["kind"] for row in prompts(provider, tag(1, 10), joint=False)] == ["peak", "peak"]


def test_a_flat_map_has_no_peak() -> None:
    assert prompts(Blobs(coarse={}), tag(1, 10)) == []


def test_maps_come_in_the_order_of_the_settings() -> None:
    provider = Blobs(
        coarse={0: [(20, 10, 1.0)]}, fine={0: [(30, 10, 1.0)]}, cross={0: [(40, 10, 1.0)]}
    )
    for maps in (("coarse", "fine", "cross"), ("cross", "coarse")):
        seen = prompts(provider, tag(1, 10), maps=maps)
        assert [row["source_map"] for row in seen] == list(maps)


def test_points_of_cross_attention_are_clustered_and_of_no_class() -> None:
    left = {k: [(20 + k % 2, 10, 1.0)] for k in range(5)}
    right = {k: [(70, 30, 1.0), (0, 0, 0.5)] for k in range(5, 10)}
    provider = Blobs(cross={**left, **right})
    for seed in range(3):
        seen = prompts(provider, tag(1, 10), tag(2, 20), maps=("cross",), seed=seed)
        assert told(seen) == [
            ("peak", None, "cross", [[20.5, 10.5]]),
            ("peak", None, "cross", [[70.5, 30.5]]),
        ]
        assert [row["value"] for row in seen] == [1, 1]


def test_each_kind_of_map_has_its_kernel() -> None:
    pair = [(20, 10, 1.0), (40, 10, 0.95)]
    provider = Blobs(coarse={0: pair}, cross={0: pair})
    more = {"maps": ("coarse", "cross"), "joint": False, "per_cluster": 1}
    assert len(prompts(provider, tag(1, 10), kernel=17, cross_kernel=129, **more)) == 2 + 1
    assert len(prompts(provider, tag(1, 10), kernel=129, cross_kernel=17, **more)) == 1 + 2


def test_threshold_and_most_are_keys() -> None:
    provider = Blobs(coarse={0: [(70, 30, 0.6), (20, 10, 1.0)]})
    assert len(prompts(provider, tag(1, 10), joint=False)) == 1
    assert len(prompts(provider, tag(1, 10), joint=False, threshold=0.5)) == 2
    assert len(prompts(provider, tag(1, 10), joint=False, threshold=0.5, most=1)) == 1
