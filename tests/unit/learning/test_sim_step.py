"""What SIM's teacher loses: the parts, the ramp, labels without a positive, pseudo masks."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stages.geometry.masks import masks_to_rles
from stages.learning.sim_batches import TeacherBatch, TeacherReader
from stages.learning.sim_index import opened_objects
from stages.learning.sim_masks import PseudoMasks, Shown
from stages.learning.sim_step import losses
from stages.segmenters.sim_network import Teacher
from tests.crop_set import CropSet, build_crop_set
from tests.teacher_set import settings_of, started, write_former

PARTS = {"class", "box", "centre", "projection", "pairwise", "pseudo", "paste"}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> CropSet:
    return build_crop_set(tmp_path_factory.mktemp("teacher"), images=4, salient=1)


def batch_of(drawn: CropSet, *, step: int = 8, former: Path | None = None) -> TeacherBatch:
    paths = [drawn.folder / f"{name}.parquet" for name in ("images", "weak_labels")]
    index = opened_objects(paths[0], paths[1], [former] if former else None)
    return TeacherReader(index, drawn.folder, settings_of(), 0)(step)


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
