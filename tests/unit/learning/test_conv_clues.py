"""Convolutions on a frozen map learn, look at the image's own cells, and point where it is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from stages.learning.clue_networks import Looks
from stages.learning.conv_clues import ConvClues, cell_means, opened_learner
from stages.photographs.reading import digest_of
from stages.settings.fit_prompt import FitPrompt
from stages.settings.propose import Propose
from stages.settings.section import from_values
from stages.settings.segmenters.sam import Settings as Sam
from tests.tagged import CONV

RNG = np.random.default_rng(0)


def learner(folder: Path, sam: dict[str, Any], *, classes: int = 3) -> ConvClues:
    torch.manual_seed(0)
    return opened_learner(
        from_values(FitPrompt, CONV, "fit_prompt"),
        Propose(sam=Sam(**sam)),
        classes=classes,
        folder=folder,
        device=torch.device("cpu"),
        cache=None,
        fresh=True,
    )


def photograph(folder: Path, number: int, pixels: np.ndarray) -> dict[str, Any]:
    Image.fromarray(pixels).save(folder / f"{number}.png")
    row = {"image_id": number, "file_name": f"{number}.png", "orientation": 1}
    row |= {"height": pixels.shape[0], "width": pixels.shape[1], "black": None, "white": None}
    return {**row, "digest": digest_of((folder / f"{number}.png").read_bytes())}


def photographs(folder: Path) -> list[dict[str, Any]]:
    """Four images of several sizes, of noise."""
    sizes = [(64, 64), (48, 80), (80, 30), (50, 64)]
    rng = np.random.default_rng(1)
    noise = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]
    return [photograph(folder, k + 1, pixels) for k, pixels in enumerate(noise)]


def test_means_are_over_the_cells_of_each_image_alone() -> None:
    logits = torch.rand(3, 2, 4, 5, generator=torch.Generator().manual_seed(0))
    grids = [(4, 5), (2, 5), (4, 1)]
    seen = cell_means(logits, grids)
    for b, (rows, columns) in enumerate(grids):
        for c in range(2):
            cells = [logits[b, c, y, x].item() for y in range(rows) for x in range(columns)]
            assert seen[b, c].item() == pytest.approx(sum(cells) / len(cells))


def test_loss_falls_by_half_on_four_images(tmp_path: Path, random_sam: dict[str, Any]) -> None:
    rows, clues = photographs(tmp_path), learner(tmp_path, random_sam)
    keys = [(row, False) for row in rows]
    images = [clues.read(row, flip=False, rng=RNG) for row in rows]
    tags = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])
    optimizer = torch.optim.AdamW(clues.network.parameters(), 1e-2)
    losses = []
    for _ in range(50):
        loss, _ = clues.loss(images, keys, tags, RNG)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_maps_have_the_size_of_the_image_and_a_range_from_0_to_1(
    tmp_path: Path, random_sam: dict[str, Any]
) -> None:
    clues = learner(tmp_path, random_sam)
    clues.network.eval()
    for row in photographs(tmp_path):
        seen = clues.maps(row, [2, 0], Looks(("coarse",)))
        assert set(seen) == {"coarse"}
        assert seen["coarse"].shape == (2, row["height"], row["width"])
        assert seen["coarse"].dtype == np.float32
        assert 0 <= seen["coarse"].min() <= seen["coarse"].max() <= 1
        turned = clues.maps(row, [0, 2], Looks(("coarse",)))["coarse"]
        np.testing.assert_array_equal(turned[::-1], seen["coarse"])


class Brightness(nn.Module):
    """Logits that are one feature of the map, so that where it is high is known."""

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        return embedding[:, :3]


def test_a_map_is_the_mean_of_image_and_mirror_image_turned_back(
    tmp_path: Path, random_sam: dict[str, Any]
) -> None:
    """Of an image that is its own mirror image, the map is symmetric only if turned back right."""
    half = np.random.default_rng(2).integers(0, 256, (64, 32, 3), dtype=np.uint8)
    row = photograph(tmp_path, 1, np.concatenate([half, half[:, ::-1]], axis=1))
    clues = learner(tmp_path, random_sam)
    clues.network = Brightness()
    both = clues.maps(row, [0], Looks(flip=True))["coarse"][0]
    np.testing.assert_allclose(both, both[:, ::-1], atol=1e-5)
    once = clues.maps(row, [0], Looks(flip=False))["coarse"][0]
    assert np.abs(once - once[:, ::-1]).max() > 0.01


def test_tag_logits_are_the_means_of_the_image(tmp_path: Path, random_sam: dict[str, Any]) -> None:
    clues = learner(tmp_path, random_sam)
    clues.network.eval()
    row = photographs(tmp_path)[1]
    keys = [[(row, flip)] for flip in (False, True)]
    grid = clues._grid(row)
    assert grid == (10, 16)  # of 16 x 16 cells: 48 of 80 px of the longer side
    with torch.no_grad():
        both = [
            cell_means(clues._logits([clues.inputs.read(row, flip=k[0][1])], k), [grid])
            for k in keys
        ]
    torch.testing.assert_close(clues.tag_logits(row), torch.cat(both).mean(dim=0))
