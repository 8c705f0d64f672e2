"""The transformer: attention against a loop, grids of any size, and blocks that are skipped."""

import pytest
import torch
from torch import Tensor

from stages.learning.vit import ClassTokenVit, kept_branches, resized_positions


def vit(**more: int) -> ClassTokenVit:
    torch.manual_seed(0)
    keys = {"depth": 2, "dim": 16, "heads": 2, "patch": 4, "cells": 3, **more}
    return ClassTokenVit(3, **keys)


@pytest.mark.parametrize("size", [(12, 12), (4, 4), (9, 22)], ids=["square", "one patch", "cut"])
def test_any_image_gives_a_grid_of_whole_patches(size: tuple[int, int]) -> None:
    seen = vit()(torch.randn(2, 3, *size))
    rows, columns = size[0] // 4, size[1] // 4
    tokens = 3 + rows * columns
    assert seen.grid == (rows, columns)
    assert seen.classes.shape == (2, 3, 16)
    assert seen.patches.shape == (2, 16, rows, columns)
    assert seen.attention.shape == (2, 4, tokens, tokens)
    torch.testing.assert_close(seen.attention.sum(dim=-1), torch.ones(2, 4, tokens))
    assert not seen.attention.requires_grad
    assert seen.classes.requires_grad


def looped(network: ClassTokenVit, tokens: Tensor) -> Tensor:
    """The first block's attention, head by head and token by token: (heads, t, t)."""
    block = network.blocks[0]
    q, k, _ = block.attn.qkv(block.norm1(tokens)).split(16, dim=-1)
    rows = []
    for head in (slice(0, 8), slice(8, 16)):
        for i in range(len(tokens)):
            dots = torch.stack([(q[i, head] * k[j, head]).sum() for j in range(len(tokens))])
            rows.append((dots / 8**0.5).softmax(dim=0))
    return torch.stack(rows).reshape(2, len(tokens), len(tokens))


def test_attention_equals_the_loop_layer_by_layer() -> None:
    network, pixels = vit(), torch.randn(1, 3, 12, 8)
    patches = network.patch_embed(pixels)[0].flatten(1).T
    tokens = torch.cat([network.cls_token[0], patches]) + network.positions((3, 2))[0]
    torch.testing.assert_close(network(pixels).attention[0, :2], looped(network, tokens))


def test_each_image_is_seen_by_itself() -> None:
    network, pixels = vit().eval(), torch.randn(2, 3, 12, 12)
    both, alone = network(pixels), network(pixels[1:])
    torch.testing.assert_close(both.patches[1:], alone.patches)
    torch.testing.assert_close(both.attention[1:], alone.attention)


def test_positions_of_the_own_grid_are_as_learned_and_others_between_them() -> None:
    network = vit()
    assert torch.equal(network.positions((3, 3)), network.pos_embed)
    flat = torch.ones(1, 9, 16)
    torch.testing.assert_close(resized_positions(flat, 3, (5, 2)), torch.ones(1, 10, 16))


def test_later_blocks_are_skipped_more_often_and_the_mean_stays() -> None:
    chances = torch.rand(3, 2, 4000, generator=torch.Generator().manual_seed(0))
    kept = kept_branches(0.4, chances)
    assert torch.equal(kept[0], torch.ones(2, 4000))
    assert (kept == 0).float().mean(dim=(1, 2)).tolist() == pytest.approx([0, 0.2, 0.4], abs=0.02)
    assert kept.mean(dim=(1, 2)).tolist() == pytest.approx([1, 1, 1], abs=0.02)
    assert torch.equal(kept_branches(0.0, chances), torch.ones(3, 2, 4000))


def test_an_image_whose_blocks_are_skipped_passes_unchanged() -> None:
    network, pixels = vit(), torch.randn(2, 3, 12, 12)
    kept = torch.ones(2, 2, 2)
    kept[:, :, 0] = 0
    seen = network(pixels, kept)
    tokens = network.cls_token + network.positions((3, 3))[:, :3]
    torch.testing.assert_close(seen.classes[:1], tokens)
    torch.testing.assert_close(seen.patches[1], network(pixels).patches[1])
