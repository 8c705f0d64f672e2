"""Batches of crops: what is shown, how often, and that nothing but seed and step decides it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.learning.crop_batches import CropReader, box_item, salient_item
from stages.learning.crop_fitting import salient_set
from stages.learning.crop_index import CropIndex, opened_crops
from stages.runtime.processes import Team
from stages.settings.segmenters.boxcaseg import CropTraining, Settings
from tests.crop_set import SMALL, CropSet, build_crop_set, propose


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> CropSet:
    return build_crop_set(tmp_path_factory.mktemp("crops"), images=6, salient=7)


def settings_of(**training: Any) -> Settings:
    return propose({**SMALL, "training": {**SMALL["training"], **training}}).boxcaseg


def reader(drawn: CropSet, settings: Settings, *, team: Team | None = None) -> CropReader:
    args = drawn.args(drawn.folder / "model.pt")
    index = opened_crops(args.images, args.weak_labels, settings, salient=salient_set(args))
    return CropReader(index, args.image_folder, settings, 0, *([team] if team else []))


def many(boxes: int, salient: int, *, crowded: int = 0) -> CropIndex:
    full = np.tile([0.0, 0, 9, 9], (boxes, 1))
    flags = np.arange(boxes) < crowded
    pairs = [(Path(str(k)), Path(str(k))) for k in range(salient)]
    return CropIndex({}, np.zeros(boxes, dtype=np.int64), full, flags, pairs)


def test_a_batch_has_boxes_before_salient_images(drawn: CropSet) -> None:
    batch = reader(drawn, settings_of())(0)
    assert batch.pixels.shape == (8, 3, 48, 48)
    assert batch.pixels.dtype == torch.float32
    assert batch.labels.shape == (8, 48, 48)
    assert set(batch.labels.unique().tolist()) <= {0.0, 1.0}
    assert batch.salient.tolist() == [False] * 4 + [True] * 4  # int(8 x 0.5625) boxes
    assert len(batch.image_ids) == 8


def test_a_batch_depends_on_seed_and_step_alone(drawn: CropSet) -> None:
    first, again = reader(drawn, settings_of()), reader(drawn, settings_of())
    later = first(3)
    again(0)
    assert torch.equal(again(3).pixels, later.pixels)
    assert not torch.equal(again(2).pixels, later.pixels)


@pytest.mark.parametrize("chance", ["neighbour", "shrink"])
def test_what_is_done_to_salient_images_leaves_boxes_alone(drawn: CropSet, chance: str) -> None:
    plain = reader(drawn, settings_of())(1)
    other = reader(drawn, settings_of(**{chance: 1.0}))(1)
    assert torch.equal(plain.pixels[:4], other.pixels[:4])
    assert not torch.equal(plain.pixels[4:], other.pixels[4:])
    again = reader(drawn, settings_of(**{chance: 1.0}))(1)
    assert torch.equal(again.pixels, other.pixels)


def test_a_team_shares_a_batch(drawn: CropSet) -> None:
    whole = reader(drawn, settings_of())(1)
    for rank in (0, 1):
        part = reader(drawn, settings_of(), team=Team(rank, 2))(1)
        assert torch.equal(part.pixels, whole.pixels[rank::2])
        assert torch.equal(part.salient, whole.salient[rank::2])


def test_an_epoch_shows_each_salient_image_once() -> None:
    shown = CropReader(many(30, 28), Path(), settings_of(epochs=3), 5)
    assert shown.steps() == 3 * 8
    for epoch in range(3):
        steps = range(8 * epoch, 8 * epoch + 7)  # 28 / 4 a step; the eighth begins anew
        places = [place for step in steps for place in shown.salient_of(step)]
        assert sorted(places) == list(range(28))


def test_crowded_boxes_are_shown_rarely() -> None:
    shown = CropReader(many(40, 40, crowded=20), Path(), settings_of(epochs=50), 5)
    counts = np.zeros(40)
    for step in range(shown.steps()):
        counts[shown.boxes_of(step)] += 1
    assert 0.15 < counts[:20].sum() / counts[20:].sum() < 0.35


@pytest.mark.parametrize(("boxes", "salient", "wanted"), [(20, 0, (8, 0)), (0, 9, (0, 8))])
def test_one_kind_alone_fills_the_batch(boxes: int, salient: int, wanted: tuple[int, int]) -> None:
    shown = CropReader(many(boxes, salient), Path(), settings_of(), 0)
    assert (len(shown.boxes_of(0)), len(shown.salient_of(0))) == wanted


def training(**values: Any) -> CropTraining:
    return settings_of(**values).training


def test_a_box_item_holds_what_its_label_says() -> None:
    pixels = np.zeros((60, 80, 3), dtype=np.uint8)
    pixels[20:40, 30:60] = 200
    for seed in range(20):
        rng = np.random.default_rng(seed)
        shown, label = box_item(pixels, np.array([30.0, 20, 60, 40]), training(flip_boxes=0.5), rng)
        agree = (shown[:, :, 0] > 100) == label
        assert agree.mean() > 0.9


@pytest.mark.parametrize("view", ["whole", "object"])
def test_a_salient_item_holds_what_its_mask_says(view: str) -> None:
    mask = np.zeros((60, 80), dtype=bool)
    mask[20:40, 30:60] = True
    pixels = np.where(mask, 200, 0).astype(np.uint8)[:, :, None].repeat(3, axis=2)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        shown, label = salient_item(pixels, mask, training(salient_view=view), rng)
        assert shown.shape == (48, 48, 3)
        assert ((shown[:, :, 0] > 100) == label).mean() > 0.9


def test_half_of_the_salient_items_are_mirrored() -> None:
    pixels, mask = np.zeros((48, 48, 3), dtype=np.uint8), np.zeros((48, 48), dtype=bool)
    mask[:, :24] = True
    values = training(size_salient=48)
    shown = [salient_item(pixels, mask, values, np.random.default_rng(k))[1] for k in range(200)]
    assert 60 < sum(bool(label[0, 0]) for label in shown) < 140
    assert all(label.sum() == mask.sum() for label in shown)


def test_the_whole_image_must_be_larger_than_its_crop() -> None:
    with pytest.raises(ValueError, match=r"training\.size_salient is 40, but crops of 48 px"):
        settings_of(size_salient=40)
