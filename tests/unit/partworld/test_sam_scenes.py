import numpy as np
import pytest
from segment_anything.utils.transforms import ResizeLongestSide

from stages.partworld import sam_scenes
from stages.partworld.sam_scenes import GRID, Ready, SceneWindow, make_ready
from stages.partworld.scenes import LEVELS, render_scene
from stages.segmenters.tiny import IMAGE_SIDE


@pytest.fixture(scope="module")
def ready() -> Ready:
    return make_ready(render_scene(0, "sam-train", 0))


def test_shrunk_images_are_what_sam_predictor_would_see(ready: Ready) -> None:
    expected = ResizeLongestSide(IMAGE_SIDE).apply_image(ready.scene.image)
    np.testing.assert_array_equal(ready.image, expected)


@pytest.mark.parametrize("level", range(len(LEVELS)), ids=LEVELS)
def test_cover_equals_the_shrunk_mask(ready: Ready, level: int) -> None:
    for value in np.unique(ready.scene.table[1:, level]):
        mask = ready.mask(level, value)
        np.testing.assert_array_equal(mask, ready.scene.level_map(LEVELS[level]) == value)
        expected = sam_scenes.coverage(mask).ravel()
        np.testing.assert_allclose(ready.cover(level, value), expected, atol=1e-6)


def test_picked_pixels_lie_on_the_ids_they_come_with(ready: Ready) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        place, ids = ready.pick(rng)
        assert ids[0] == ready.scene.leaf.flat[place] > 0


def test_dense_truth_points_to_the_centroids(ready: Ready) -> None:
    whole = ready.scene.level_map("whole")[2::4, 2::4]
    x = np.arange(GRID)[None].repeat(GRID, axis=0)
    for item in ready.scene.instances:
        mine = whole == item.instance_id
        centre = (x / GRID + ready.dense[4])[mine]
        np.testing.assert_allclose(centre, x[mine].mean() / GRID, atol=1e-5)
    assert ready.dense[:4].min() >= 0
    assert ready.dense[:4].max() <= 1


def test_the_window_depends_on_the_step_alone() -> None:
    walked, fresh = SceneWindow(1, window=6), SceneWindow(1, window=6)
    for step in range(3):
        walked.at(step, 2)
    ours, our_rng = walked.at(3, 2)
    theirs, their_rng = fresh.at(3, 2)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one.image, other.image)
    assert our_rng.random() == their_rng.random()


def test_the_window_forgets_what_it_has_passed() -> None:
    window = SceneWindow(1, per_step=2, window=3)
    for step in range(4):
        window.at(step, 3)
    assert min(window._held) >= 6
