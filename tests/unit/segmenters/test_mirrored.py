"""A second bag from the mirrored image."""

import numpy as np
import pytest
import torch
from segment_anything.modeling import Sam

from stages.geometry.masks import rles_to_masks
from stages.segmenters.mirrored import mirrored_back, mirrored_image, mirrored_points
from stages.segmenters.runner import Runner
from stages.segmenters.tiny import build_vit_tiny
from stages.settings.propose import BoxesPrompt, LabelPrompt, Propose


@pytest.fixture(scope="module")
def sam() -> Sam:
    torch.manual_seed(0)
    return build_vit_tiny().requires_grad_(False)


def picture() -> np.ndarray:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return small.repeat(8, axis=0).repeat(8, axis=1)


POINTS = np.array([[10.0, 10.0], [0.0, 20.5], [63.9, 47.9]], dtype=np.float32)


def test_points_stay_inside_and_come_back() -> None:
    there = mirrored_points(POINTS, 64)
    assert ((there[:, 0] >= 0) & (there[:, 0] < 64)).all()
    np.testing.assert_allclose(there[:, 1], POINTS[:, 1])
    np.testing.assert_allclose(mirrored_points(there, 64), POINTS, atol=2e-3)
    assert mirrored_points(np.zeros((0, 2), np.float32), 64).shape == (0, 2)


def test_an_empty_bag_stays_empty() -> None:
    assert mirrored_back([]) == []


def test_the_second_half_of_a_bag_is_the_answer_to_the_mirrored_image(sam: Sam) -> None:
    prompts = (LabelPrompt(source="label"), BoxesPrompt(source="boxes", count=1, masks="single"))
    upright = Runner(sam, Propose(prompts=prompts), seed=0)
    both = Runner(sam, Propose(prompts=prompts, mirror=True), seed=0)
    there = mirrored_points(POINTS, 64)
    own = upright.bags(picture(), POINTS, [1, 2, 3])
    other = upright.bags(mirrored_image(picture()), there, [1, 2, 3])
    for bag, first, second in zip(both.bags(picture(), POINTS, [1, 2, 3]), own, other, strict=True):
        assert [a for _, a in bag[: len(first)]] == [a for _, a in first]
        rest = bag[len(first) :]
        assert [q.kind for q, _ in rest] == [f"mirrored_{q.kind}" for q, _ in second]
        for (_, seen), (_, wanted) in zip(rest, second, strict=True):
            mask = rles_to_masks([wanted.rle])[0]
            np.testing.assert_array_equal(rles_to_masks([seen.rle])[0], mask[:, ::-1])
            assert (seen.area, seen.sam_score) == (wanted.area, wanted.sam_score)
