"""SIM's teacher: what it sees of an image, its frozen parts, and files of strangers."""

from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from stages.segmenters.sim_network import fitted_teacher, started_teacher
from tests.teacher_set import save, settings_of, started

PIXELS = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("backbone", "stride", "levels"),
    [("small", 4, 5), ("small", 8, 4), ("resnet18", 8, 5), ("resnet18", 4, 6)],
)
def test_locations_lie_in_the_middles_of_the_cells(backbone: str, stride: int, levels: int) -> None:
    teacher = started(backbone=backbone, stride=stride).eval()
    with torch.no_grad():
        seen = teacher(PIXELS)
    assert seen.masks.shape == (2, 16, 64 // stride, 96 // stride)
    assert seen.strides.unique().tolist() == [stride << k for k in range(levels)]
    assert seen.counts[0] == 64 * 96 // stride**2
    assert seen.centres[0].tolist() == [stride / 2, stride / 2]
    assert seen.centres[96 // stride].tolist() == [stride / 2, stride * 1.5]
    assert seen.controls.shape == (2, sum(seen.counts), 233)
    assert seen.heads["cls_logits"].shape == (2, sum(seen.counts), 2)
    assert (seen.cells[:, 2] - seen.cells[:, 0] == seen.strides).all()


def test_boxes_begin_about_their_locations() -> None:
    teacher = started().eval()
    with torch.no_grad():
        seen = teacher(PIXELS)
    places = torch.tensor([0, 5, len(seen.centres) - 1])
    boxes, strides = seen.boxes(1, places), seen.strides[places]
    middles, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    assert torch.allclose(middles, seen.centres[places], atol=float(strides.max()))
    assert (sides / strides[:, None] - 4).abs().max() < 2
    scores = seen.scores(1, places, torch.tensor([0, 1, 0]))
    assert ((scores > 0) & (scores < 0.1)).all()  # FCOS starts with a prior of 0.01


def test_each_location_has_a_mask_of_its_own() -> None:
    teacher = started().eval()
    with torch.no_grad():
        seen = teacher(PIXELS)
        masks = teacher.logits(seen, 0, torch.tensor([3, 200]))
        alone = teacher.logits(seen, 0, torch.tensor([200]))
    assert masks.shape == (2, 32, 48)
    assert not torch.allclose(masks[0], masks[1])
    assert torch.allclose(masks[1], alone[0], atol=1e-6)


def test_what_came_with_weights_keeps_its_norms(tmp_path: Path) -> None:
    path = tmp_path / "resnet18.pth"
    torch.save(torchvision.models.resnet18().state_dict(), path)
    settings = settings_of(backbone="resnet18", checkpoint=str(path))
    teacher = started_teacher(settings, [1]).train()
    norms = [m for m in teacher.body.modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms
    assert not any(norm.training or norm.weight.requires_grad for norm in norms)
    body = teacher.body.body
    assert isinstance(body, nn.Module)
    taught = {name for name, weight in body.named_parameters() if weight.requires_grad}
    assert "layer2.0.conv1.weight" in taught
    assert not any(name.startswith(("conv1.", "layer1.")) for name in taught)
    scratch = started_teacher(settings_of(backbone="resnet18"), [1]).train()
    assert all(weight.requires_grad for weight in scratch.parameters())
    assert next(m for m in scratch.modules() if isinstance(m, nn.BatchNorm2d)).training


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    settings = settings_of(backbone="resnet18", checkpoint=str(tmp_path / "none.pth"))
    with pytest.raises(ValueError, match=r"propose\.sim\.checkpoint: .*none\.pth is missing"):
        started_teacher(settings, [1])
    (tmp_path / "none.pth").write_bytes(b"no weights")
    with pytest.raises(ValueError, match=r"none\.pth: not a plain weight file"):
        started_teacher(settings, [1])


def test_a_model_file_knows_its_classes(tmp_path: Path) -> None:
    teacher = started((3, 4, 90)).eval()
    opened = fitted_teacher(save(teacher, tmp_path / "model.pt"), settings_of())
    assert opened.category_ids.tolist() == [3, 4, 90]
    assert not opened.training
    with torch.no_grad():
        assert torch.equal(opened(PIXELS).controls, teacher(PIXELS).controls)


def test_strange_model_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.pt: this model is missing"):
        fitted_teacher(tmp_path / "none.pt", settings_of())
    path = save(started(), tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"does not fit propose\.sim"):
        fitted_teacher(path, settings_of(dim=8))
    path.write_bytes(b"no model")
    with pytest.raises(ValueError, match=r"model\.pt: not a plain weight file"):
        fitted_teacher(path, settings_of())
