import numpy as np
import pytest

from stages.partworld.classes import CLASSES
from stages.partworld.layout import SIDE
from stages.partworld.scenes import (
    LEVELS,
    MIN_AREA,
    MIN_KEY_VISIBLE,
    MIN_VISIBLE,
    OCCLUDED,
    SALIENT,
    Scene,
    render_scene,
    scene_rng,
)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [render_scene(3, "train", index) for index in range(60)]


def test_a_scene_depends_on_its_arguments_only(scenes: list[Scene]) -> None:
    again = render_scene(3, "train", 41)
    np.testing.assert_array_equal(again.image, scenes[41].image)
    np.testing.assert_array_equal(again.leaf, scenes[41].leaf)
    np.testing.assert_array_equal(again.table, scenes[41].table)
    assert again.instances == scenes[41].instances


@pytest.mark.parametrize("other", [(4, "train", 0), (3, "val", 0), (3, "train", 1)])
def test_seed_split_and_index_each_change_the_scene(
    scenes: list[Scene], other: tuple[int, str, int]
) -> None:
    assert not np.array_equal(render_scene(*other).image, scenes[0].image)


def test_the_generators_of_splits_and_indices_are_all_different() -> None:
    splits = ("train", "val", "sam-train", "sam-heldout")
    draws = {scene_rng(0, split, index).random() for split in splits for index in range(50)}
    assert len(draws) == len(splits) * 50


def test_image_and_id_map_have_the_promised_shape_and_type(scenes: list[Scene]) -> None:
    for scene in scenes:
        assert scene.image.shape == (SIDE, SIDE, 3)
        assert scene.image.dtype == np.uint8
        assert scene.leaf.shape == (SIDE, SIDE)
        assert scene.leaf.min() >= 0
        assert scene.leaf.max() < len(scene.table)
        assert not scene.table[0].any()


def test_levels_nest_each_id_lies_in_one_id_of_the_next_level(scenes: list[Scene]) -> None:
    for scene in scenes:
        for level in range(len(LEVELS) - 1):
            pairs = {(int(row[level]), int(row[level + 1])) for row in scene.table[1:]}
            assert len(pairs) == len({inner for inner, _ in pairs})


def test_masks_are_disjoint_and_their_areas_exact(scenes: list[Scene]) -> None:
    for scene in scenes:
        covered = np.zeros((SIDE, SIDE), int)
        for instance in scene.instances:
            mask = scene.mask(instance)
            assert int(mask.sum()) == instance.area > 0
            covered += mask
        assert covered.max() <= 1


def test_visible_area_never_exceeds_the_full_area(scenes: list[Scene]) -> None:
    for scene in scenes:
        for item in scene.instances:
            assert item.area <= item.full_area


def test_small_and_hidden_objects_are_crowds(scenes: list[Scene]) -> None:
    for scene in scenes:
        for item in scene.instances:
            if item.area < MIN_AREA or item.area < MIN_VISIBLE * item.full_area:
                assert item.is_crowd


def test_an_object_without_its_key_part_is_a_crowd() -> None:
    found = 0
    for index in range(250):
        scene = render_scene(9, "train", index)
        for item in scene.instances:
            large = item.area >= MIN_AREA and item.area >= MIN_VISIBLE * item.full_area
            if item.is_crowd and large:
                assert CLASSES[item.category_id - 1].key is not None
                found += 1
    assert found > 0
    assert 0 < MIN_KEY_VISIBLE < 1


def test_difficulties_say_what_they_claim(scenes: list[Scene]) -> None:
    for scene in scenes:
        whole_of = {item.instance_id: item for item in scene.instances}
        for item in scene.instances:
            hidden = item.area < OCCLUDED * item.full_area
            mates = sum(other.cluster == item.cluster for other in whole_of.values()) - 1
            assert (item.difficulty == "occluded") == hidden
            if not hidden:
                assert (item.difficulty == "group") == (mates > 0)


def test_every_class_and_difficulty_occurs_and_no_difficulty_rules() -> None:
    found = [i for index in range(150) for i in render_scene(0, "val", index).instances]
    labelled = [item for item in found if not item.is_crowd]
    assert {item.category_id for item in labelled} == set(range(1, len(CLASSES) + 1))
    for kind, low, high in (
        ("single", 0.04, 0.3),
        ("part", 0.15, 0.6),
        ("group", 0.2, 0.6),
        ("occluded", 0.05, 0.4),
    ):
        assert low < np.mean([item.difficulty == kind for item in labelled]) < high, kind


def test_objects_are_large_enough_to_be_learnt() -> None:
    found = [i for index in range(150) for i in render_scene(0, "val", index).instances]
    quartiles = np.percentile([i.area for i in found if not i.is_crowd], [25, 50, 75])
    assert 2_000 < quartiles[0] < quartiles[1] < quartiles[2] < 10_000


def test_half_of_the_classes_have_a_key_part_of_their_own() -> None:
    with_key = [item for item in CLASSES if item.key]
    assert len(with_key) == len(CLASSES) // 2
    for item in with_key:
        pieces = item.build(np.random.default_rng(0))
        assert item.key in {piece.part for piece in pieces}


@pytest.mark.parametrize(
    ("name", "fewest", "most"), [("ball", 1, 1), ("crate", 1, 1), ("dog", 4, 4), ("castle", 8, 10)]
)
def test_wholes_sit_at_different_depths(name: str, fewest: int, most: int) -> None:
    item = next(item for item in CLASSES if item.name == name)
    for seed in range(5):
        parts = {piece.part for piece in item.build(np.random.default_rng(seed))}
        assert fewest <= len(parts) <= most


def test_salient_scenes_hold_one_object_seen_whole() -> None:
    areas = []
    for index in range(120):
        scene = render_scene(3, SALIENT, index)
        (instance,) = scene.instances
        assert instance.area == instance.full_area
        assert not instance.is_crowd
        assert instance.difficulty in ("single", "part")
        np.testing.assert_array_equal(scene.leaf > 0, scene.mask(instance))
        areas.append(instance.area / SIDE**2)
    assert min(areas) < 0.05
    assert max(areas) > 0.4


def test_salient_scenes_have_random_numbers_of_their_own() -> None:
    draws = {scene_rng(0, split, 0).random() for split in ("train", "val", SALIENT)}
    assert len(draws) == 3
    assert scene_rng(0, "val", 0, 1).random() not in draws
