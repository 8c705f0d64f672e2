"""Weights of DeiT start the transformer; others are refused with what differs."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from stages.learning.deit_weights import load_deit
from stages.learning.vit import ClassTokenVit
from stages.runtime.provenance import sha256_of

KEYS = {"depth": 2, "dim": 16, "heads": 2, "patch": 4, "cells": 3}
State = dict[str, Tensor]


def vit(**more: int) -> ClassTokenVit:
    return ClassTokenVit(5, **{**KEYS, **more})


def deit(extra: int = 1) -> State:
    """The names and shapes of DeiT's file for a grid of 3 x 3; extra: tokens before the patches."""
    state = ClassTokenVit(1, **KEYS).state_dict()
    state["pos_embed"] = torch.randn(1, extra + 9, 16)
    found = {**state, "norm.weight": torch.ones(16), "norm.bias": torch.zeros(16)}
    return {**found, "head.weight": torch.zeros(1000, 16), "head.bias": torch.zeros(1000)}


def saved(folder: Path, state: Any) -> Path:
    torch.save(state, folder / "deit.pth")
    return folder / "deit.pth"


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"model": s}, lambda s: {"state_dict": s}])
def test_class_token_and_position_are_repeated_for_each_class(tmp_path: Path, wrap: Any) -> None:
    state, network = deit(), vit()
    load_deit(network, saved(tmp_path, wrap(state)), None)
    for column in range(5):
        assert torch.equal(network.cls_token[0, column], state["cls_token"][0, 0])
        assert torch.equal(network.pos_embed[0, column], state["pos_embed"][0, 0])
    assert torch.equal(network.pos_embed[0, 5:], state["pos_embed"][0, 1:])
    assert torch.equal(network.blocks[1].mlp.fc2.weight, state["blocks.1.mlp.fc2.weight"])


def test_a_distillation_token_is_left_out(tmp_path: Path) -> None:
    state, network = deit(extra=2), vit()
    given = {**state, "dist_token": torch.zeros(1, 1, 16), "head_dist.bias": torch.zeros(9)}
    load_deit(network, saved(tmp_path, given), None)
    assert torch.equal(network.pos_embed[0, 5:], state["pos_embed"][0, 2:])


def test_positions_of_another_grid_are_resized(tmp_path: Path) -> None:
    network = vit(cells=6)
    load_deit(network, saved(tmp_path, deit()), None)
    assert network.pos_embed.shape == (1, 5 + 36, 16)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"depth": 3}, r"blocks\.2\..* is missing\. Set depth, dim, heads and patch.*12, 384"),
        ({"depth": 1}, r"blocks\.1\..* is surplus"),
        ({"dim": 32}, r"cls_token is \(1, 5, 16\), but \(1, 5, 32\) is wanted"),
        ({"patch": 8}, r"patch_embed\.proj\.weight is \(16, 3, 4, 4\), but \(16, 3, 8, 8\)"),
    ],
    ids=str,
)
def test_weights_of_another_shape_are_refused(
    tmp_path: Path, more: dict[str, int], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        load_deit(vit(**more), saved(tmp_path, deit()), None)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no file .*none\.pth"):
        load_deit(vit(), tmp_path / "none.pth", None)
    with pytest.raises(ValueError, match="holds no weights of a ViT"):
        load_deit(vit(), saved(tmp_path, {"a": torch.zeros(1)}), None)
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(ValueError, match=r"text\.pth: not a plain weight file"):
        load_deit(vit(), tmp_path / "text.pth", None)


def test_the_checksum_decides(tmp_path: Path) -> None:
    path = saved(tmp_path, deit())
    load_deit(vit(), path, sha256_of(path).upper())
    with pytest.raises(ValueError, match="but 00ff is wanted"):
        load_deit(vit(), path, "00ff")
