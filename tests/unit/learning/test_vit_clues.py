"""The ViT's clues: they learn, each loss moves what it should, and maps are summed over looks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.learning.clue_networks import Looks
from stages.learning.vit_clues import VitClues, opened_learner
from stages.mil.clue_maps import normalised_maps
from stages.settings.fit_prompt import FitPrompt
from stages.settings.overrides import laid_over
from stages.settings.propose import Propose
from stages.settings.section import from_values
from tests.tagged import VIT
from tests.unit.learning.test_conv_clues import photographs

ALL = ("coarse", "fine", "cross")
TAGS = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])


def learner(folder: Path, **more: Any) -> VitClues:
    torch.manual_seed(0)
    settings = laid_over(VIT, {"vit": {"drop_path": 0.0, "erase": 0.0, **more}})
    return opened_learner(
        from_values(FitPrompt, settings, "fit_prompt"),
        Propose(),
        classes=3,
        folder=folder,
        device=torch.device("cpu"),
        cache=None,
        fresh=True,
    )


def step(clues: VitClues, rows: list[dict[str, Any]]) -> tuple[torch.Tensor, dict[str, float]]:
    rng = np.random.default_rng(0)
    images = [clues.read(row, flip=False, rng=rng) for row in rows]
    return clues.loss(images, [(row, False) for row in rows], TAGS, rng)


def test_loss_falls_by_half_on_four_images(tmp_path: Path) -> None:
    rows, clues = photographs(tmp_path), learner(tmp_path)
    optimizer = torch.optim.AdamW(clues.network.parameters(), 5e-3)
    losses = []
    for _ in range(50):
        loss, numbers = step(clues, rows)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(numbers["loss_tokens"] + numbers["loss_coarse"])
    assert losses[-1] < losses[0] / 2


def test_the_loss_of_fine_maps_moves_the_weights_of_the_fusion_alone(tmp_path: Path) -> None:
    rows, clues = photographs(tmp_path), learner(tmp_path)
    images = torch.stack(
        [clues.read(row, flip=False, rng=np.random.default_rng(0)) for row in rows]
    )
    seen, coarse = clues._looked(images)
    clues.network.fine(seen, torch.relu(coarse)).sum().backward()
    moved = {name for name, p in clues.network.named_parameters() if p.grad is not None}
    assert moved == {"fusion.0.weight", "fusion.1.weight"}


@pytest.mark.parametrize(
    ("fusion", "parts"),
    [
        ("aaf", {"loss_tokens", "loss_coarse", "loss_fine"}),
        ("mean", {"loss_tokens", "loss_coarse"}),
    ],
)
def test_the_loss_is_the_sum_of_its_parts(tmp_path: Path, fusion: str, parts: set[str]) -> None:
    clues = learner(tmp_path, fusion=fusion)
    loss, numbers = step(clues, photographs(tmp_path))
    assert set(numbers) == {"images", *parts}
    assert loss.item() == pytest.approx(sum(numbers[name] for name in parts))
    assert bool(len(clues.network.fusion)) == (fusion == "aaf")


def test_equal_numbers_give_an_equal_loss_and_others_skip_other_blocks(tmp_path: Path) -> None:
    rows, clues = photographs(tmp_path), learner(tmp_path, drop_path=0.5, erase=1.0)
    first, again = (step(clues, rows)[0].item() for _ in range(2))
    assert first == again
    images = [clues.read(row, flip=False, rng=np.random.default_rng(0)) for row in rows]
    keys = [(row, False) for row in rows]
    losses = {clues.loss(images, keys, TAGS, np.random.default_rng(s))[0].item() for s in range(9)}
    assert len(losses) > 1


def test_maps_of_all_kinds_have_the_size_of_the_image(tmp_path: Path) -> None:
    clues = learner(tmp_path)
    clues.network.eval()
    for row in photographs(tmp_path):
        seen = clues.maps(row, [2, 0], Looks(ALL, scales=(1.0, 0.8)))
        counts = {name: len(own) for name, own in seen.items()}
        assert counts == {"coarse": 2, "fine": 2, "cross": 2 * 4}
        for maps in seen.values():
            own = np.stack(maps)
            assert own.shape[1:] == (row["height"], row["width"])
            assert own.dtype == np.float32
            assert np.isfinite(own).all()
            assert 0 <= own.min() <= own.max() <= 1


def test_views_are_summed_before_they_are_normalised(tmp_path: Path) -> None:
    clues = learner(tmp_path)
    clues.network.eval()
    row = photographs(tmp_path)[1]
    looks = Looks(("coarse",), scales=(1.0, 1.5), flip=True)
    total = torch.zeros(3, row["height"], row["width"])
    with torch.no_grad():
        for _, coarse, flip in clues._views(row, looks):
            size = [row["height"], row["width"]]
            whole = torch.nn.functional.interpolate(coarse.relu(), size=size, mode="bilinear")[0]
            total += whole.flip(2) if flip else whole
    seen = clues.maps(row, [0, 1, 2], looks)["coarse"]
    np.testing.assert_allclose(seen, normalised_maps(total).numpy(), atol=1e-5)


def test_attention_of_chosen_blocks_alone(tmp_path: Path) -> None:
    clues, row = learner(tmp_path), photographs(tmp_path)[0]
    clues.network.eval()
    every = clues.maps(row, [0, 1], Looks(("cross",)))["cross"]
    last = clues.maps(row, [0, 1], Looks(("cross",), layers=(1,)))["cross"]
    np.testing.assert_array_equal(last, every[4:])
    with pytest.raises(ValueError, match=r"cross_layers has 8, but fit_prompt\.vit has 2 blocks"):
        clues.maps(row, [0], Looks(("cross",), layers=(8, 0)))


def test_a_long_image_is_cut_to_the_long_side_and_padded_to_a_patch(tmp_path: Path) -> None:
    clues = learner(tmp_path, patch=32)
    clues.network.eval()
    row = photographs(tmp_path)[2]  # 80 x 30 px, 64 x 24 as it is looked at
    assert clues.maps(row, [0], Looks(("fine",)))["fine"][0].shape == (80, 30)


def test_tag_logits_are_means_of_class_tokens(tmp_path: Path) -> None:
    clues, row = learner(tmp_path), photographs(tmp_path)[0]
    clues.network.eval()
    with torch.no_grad():
        views = [seen.classes.mean(dim=2)[0] for seen, _, _ in clues._views(row, Looks())]
    torch.testing.assert_close(clues.tag_logits(row), torch.stack(views).mean(dim=0))
