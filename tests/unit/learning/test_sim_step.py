"""What SIM's teacher loses: the parts, the ramp, labels without a positive, pseudo masks."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stages.box_supervision.positives import assigned
from stages.box_supervision.pseudo_mask_loss import pseudo_mask_loss
from stages.geometry.masks import masks_to_rles
from stages.learning.sim_batches import TeacherBatch, TeacherReader
from stages.learning.sim_index import opened_objects
from stages.learning.sim_masks import PseudoMasks, Shown
from stages.learning.sim_step import losses, positives_of
from stages.segmenters.sim_network import Teacher
from tests.crop_set import CropSet, build_crop_set
from tests.teacher_set import settings_of, started, write_former

PARTS = {"class", "box", "centre", "projection", "pairwise", "pseudo", "paste"}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> CropSet:
    return build_crop_set(tmp_path_factory.mktemp("teacher"), images=4, salient=1)


def batch_of(
    drawn: CropSet, *, step: int = 8, former: Path | None = None, **training: Any
) -> TeacherBatch:
    paths = [drawn.folder / f"{name}.parquet" for name in ("images", "weak_labels")]
    index = opened_objects(paths[0], paths[1], [former] if former else None)
    return TeacherReader(index, drawn.folder, settings_of(training=training), 0)(step)


def lost(
    batch: TeacherBatch, teacher: Teacher | None = None, **training: Any
) -> tuple[dict[str, Tensor], int]:
    teacher = teacher or started((1,))
    return losses(teacher, teacher(batch.pixels), batch, settings_of(training=training))


def boxed(*boxes: list[float]) -> TeacherBatch:
    """A batch of one gray image with these boxes."""
    none = np.zeros((len(boxes), 0, 0), dtype=np.uint8)
    masks = PseudoMasks(none, none, torch.zeros(len(boxes)))
    classes = torch.zeros(len(boxes), dtype=torch.int64)
    shown = Shown(
        np.zeros((64, 64, 3), np.uint8), torch.tensor(boxes).reshape(-1, 4), classes, masks
    )
    return TeacherBatch(9, torch.zeros(1, 3, 64, 64), torch.ones(1, 8, 32, 32), [shown], [1], [1])


@pytest.mark.parametrize(
    "boxes",
    [[], [[20.6, 20.6, 21.4, 21.4]], [[70.0, 70, 90, 90]]],
    ids=["none", "tiny", "beside"],
)
def test_a_label_without_a_positive_counts_nothing(boxes: list[list[float]]) -> None:
    teacher = started((1,))
    parts, masks = lost(boxed(*boxes), teacher)
    assert masks == 0
    numbers = {name: part.item() for name, part in parts.items()}
    assert all(np.isfinite(value) for value in numbers.values())
    assert all(value == 0 for name, value in numbers.items() if name != "class")
    torch.stack(list(parts.values())).sum().backward()  # type: ignore[no-untyped-call]
    grads = [weight.grad for weight in teacher.parameters() if weight.grad is not None]
    assert all(bool(torch.isfinite(grad).all()) for grad in grads)


def test_two_objects_that_share_all_locations_stay_finite() -> None:
    parts, masks = lost(boxed([16.0, 16, 40, 40], [16.0, 16, 40, 40]))
    assert masks == 4  # of 8 positives of an image each object has 4 at most; the first has them
    assert all(np.isfinite(part.item()) for part in parts.values())


def test_each_part_is_there_and_teaches(drawn: CropSet) -> None:
    teacher = started((1,))
    parts, masks = lost(batch_of(drawn), teacher)
    assert set(parts) == PARTS
    assert 4 * 6 <= masks <= 4 * 8  # a small object has fewer locations
    assert parts["pseudo"].item() == parts["paste"].item() == 0
    assert all(parts[name].item() > 0 for name in PARTS - {"pseudo", "paste"})
    for name, weight in (("projection", "controller"), ("pairwise", "branch"), ("box", "bbox_reg")):
        found = torch.autograd.grad(
            parts[name], list(teacher.parameters()), retain_graph=True, allow_unused=True
        )
        taught = [
            key
            for (key, _), grad in zip(teacher.named_parameters(), found, strict=True)
            if grad is not None and bool(grad.any())
        ]
        assert any(weight in key for key in taught)


@pytest.mark.parametrize(
    ("step", "warmup", "share"), [(0, 4, 0.0), (1, 4, 0.25), (9, 4, 1.0), (0, 0, 1.0)]
)
def test_the_pairwise_loss_rises(drawn: CropSet, step: int, warmup: int, share: float) -> None:
    batch = batch_of(drawn, step=0)
    late, whole = (replace(batch, step=number) for number in (step, 99))
    seen = lost(late, pairwise_warmup=warmup)[0]["pairwise"].item()
    whole_loss = lost(whole)[0]["pairwise"].item()
    assert seen == pytest.approx(share * whole_loss, rel=1e-5)
    assert lost(whole, lambda_pairwise=3)[0]["pairwise"].item() == pytest.approx(3 * whole_loss)


def test_pseudo_masks_count_inside_their_boxes_where_they_are_trusted(
    drawn: CropSet, tmp_path: Path
) -> None:
    plain = lost(batch_of(drawn))[0]
    told = lost(batch_of(drawn, former=write_former(drawn, tmp_path / "a.parquet")))[0]
    assert told["pseudo"].item() > 0.1
    for name in PARTS - {"pseudo"}:
        assert told[name].item() == pytest.approx(plain[name].item())
    half = lost(batch_of(drawn, former=tmp_path / "a.parquet"), lambda_pseudo=0.25)[0]
    assert half["pseudo"].item() == pytest.approx(told["pseudo"].item() / 2)
    write_former(drawn, tmp_path / "b.parquet", mask_weight=0.0)
    assert lost(batch_of(drawn, former=tmp_path / "b.parquet"))[0]["pseudo"].item() == 0


def test_ignored_pixels_are_looked_at_by_no_loss(drawn: CropSet, tmp_path: Path) -> None:
    all_of = masks_to_rles(np.ones((1, 96, 96), dtype=np.uint8))[0]["counts"]
    path = write_former(drawn, tmp_path / "a.parquet", ignore_rle=all_of)
    assert lost(batch_of(drawn, former=path))[0]["pseudo"].item() == 0


PASTE = {"enabled": True, "probability": 1.0}


def pasted(drawn: CropSet, folder: Path) -> TeacherBatch:
    return batch_of(drawn, former=write_former(drawn, folder / "a.parquet"), paste=PASTE)


def test_pasted_masks_count_in_their_own_loss_alone(drawn: CropSet, tmp_path: Path) -> None:
    batch = pasted(drawn, tmp_path)
    assert [one.pasted for one in batch.shown] == [1] * 4
    parts = lost(batch)[0]
    assert parts["paste"].item() > 0.1
    twice = lost(batch, lambda_paste=2)[0]
    assert twice["paste"].item() == pytest.approx(2 * parts["paste"].item())
    for name in PARTS - {"paste"}:
        assert twice[name].item() == pytest.approx(parts[name].item())
    assert lost(batch, lambda_paste=0)[0]["paste"].item() == 0


def test_what_is_pasted_does_not_change_what_pseudo_masks_cost(
    drawn: CropSet, tmp_path: Path
) -> None:
    """Only the masks of objects that were there count in L_pseudo."""
    batch = pasted(drawn, tmp_path)
    changed = [with_stamps(one, 1 - one.masks.masks[-1]) for one in batch.shown]
    plain, other = lost(batch)[0], lost(replace(batch, shown=changed))[0]
    assert other["pseudo"].item() == pytest.approx(plain["pseudo"].item())
    assert other["paste"].item() != pytest.approx(plain["paste"].item())


def with_stamps(shown: Shown, stamp: np.ndarray) -> Shown:
    """The same, with another mask of what is pasted."""
    masks = np.concatenate([shown.masks.masks[:-1], stamp[None]])
    return replace(shown, masks=replace(shown.masks, masks=masks))


def test_the_loss_of_pasted_objects_is_that_of_exact_masks_in_their_boxes(
    drawn: CropSet, tmp_path: Path
) -> None:
    batch, teacher, settings = pasted(drawn, tmp_path), started((1,)), settings_of()
    seen = teacher(batch.pixels)
    found = []
    for place, one in enumerate(batch.shown):
        owners = assigned(seen.centres, seen.strides, one.boxes)
        found.append(
            positives_of(teacher, seen, place, one, owners, batch.similarity[place], settings)
        )
    logits, wanted, boxes = (
        torch.cat([getattr(one, name)[one.pasted] for one in found])
        for name in ("logits", "wanted", "boxes")
    )
    assert wanted.flatten(1).any(1).all()
    seen_loss = losses(teacher, seen, batch, settings)[0]["paste"].item()
    assert seen_loss == pytest.approx(pseudo_mask_loss(logits, wanted, boxes).item())


def test_boxes_of_the_projection_lie_under_what_is_pasted() -> None:
    """An object whose right half is covered is not wanted there; the pasted one is."""
    cover = np.zeros((64, 64), dtype=bool)
    cover[:, 32:] = True
    stamps = np.stack([np.zeros_like(cover), cover]).astype(np.uint8)
    masks = PseudoMasks(stamps, np.ones_like(stamps), torch.tensor([0.0, 1]))
    boxes = torch.tensor([[8.0, 8, 40, 40], [32.0, 0, 64, 64]])
    pixels, classes = np.zeros((64, 64, 3), np.uint8), torch.zeros(2, dtype=torch.int64)
    shown = Shown(pixels, boxes, classes, masks, pasted=1, cover=cover)
    teacher = started((1,))
    seen = teacher(torch.zeros(1, 3, 64, 64))
    owners = assigned(seen.centres, seen.strides, boxes)
    found = positives_of(teacher, seen, 0, shown, owners, torch.zeros(8, 32, 32), settings_of())
    assert found.pasted.any()
    assert not found.pasted.all()
    own, other = found.boxes[~found.pasted], found.boxes[found.pasted]
    assert own[:, 4:20, 4:16].all()
    assert not own[:, :, 16:].any()
    assert other[:, :, 16:].all()
