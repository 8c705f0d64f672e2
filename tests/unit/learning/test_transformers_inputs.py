"""Features from models of transformers: of the segmenter, and of backbones by themselves."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stages.learning.adapter import Adapter
from stages.learning.embedded_inputs import EmbeddedInputs
from stages.learning.transformers_inputs import facts_of_features, opened_inputs
from stages.segmenters.pretrained import pretrained_digest
from stages.segmenters.transformers_embed import unsqueezed
from stages.settings.propose import Propose
from stages.settings.segmenters.transformers import Settings
from stages.settings.selectors.psm import Features
from tests.one_photograph import row_of, written

library = pytest.importorskip("transformers", reason="transformers is not installed")

from tests.tiny_transformers import MADE, OF_TIMM, SIDE, saved, saved_backbone  # noqa: E402

CPU = torch.device("cpu")
NO_TIMM = pytest.mark.skipif(find_spec("timm") is None, reason="timm is not installed")
NAMES = [pytest.param(name, marks=NO_TIMM) if name in OF_TIMM else name for name in MADE]
BACKBONES = {"dinov2": 14, "swin": 16, "resnet": 8}  # and px per cell of its last map
STOCK = {
    "dinov2": library.Dinov2Backbone,
    "swin": library.SwinBackbone,
    "resnet": library.ResNetBackbone,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One photograph of 60 x 100 px."""
    return written(tmp_path)


def row(folder: Path) -> dict[str, Any]:
    return {**row_of(folder), "height": 60, "width": 100}


def propose(path: Path) -> Propose:
    return Propose(segmenter="transformers", transformers=Settings(path=str(path)))


def embedded(inputs: EmbeddedInputs, folder: Path, *, flip: bool = False) -> torch.Tensor:
    read = inputs.read(row(folder), flip=flip)
    return inputs.batch([read], [(row(folder), flip)])


@pytest.mark.parametrize("name", NAMES)
def test_the_segmenter_gives_features_on_square_cells(name: str, folder: Path) -> None:
    asked = propose(saved(name, folder / "model"))
    features = Features(source="transformers", channels=16)
    inputs = opened_inputs(features, asked, folder=folder, device=CPU, cache=folder / "cache")
    seen = embedded(inputs, folder)
    assert seen.shape == (1, 32, 4, 4)
    assert inputs.factor((60, 100)) == SIDE / 100
    maps, strides = inputs.maps(features)
    assert isinstance(maps, Adapter)
    assert (maps(seen)[0].shape, strides) == ((1, 16, 4, 4), (16.0,))
    assert torch.equal(inputs.read(row(folder), flip=False), seen[0]), "it was not kept"
    assert not torch.allclose(embedded(inputs, folder, flip=True), seen)
    digest = pretrained_digest(folder / "model", "k")
    assert facts_of_features(features, asked) == {"model_sha256": digest}


def test_a_squeezed_map_is_drawn_out_to_square_cells() -> None:
    """A map that holds the places of its cells in the image, in px."""
    height, width, cells = 60, 120, 8
    down = (torch.arange(cells) + 0.5) * height / cells
    across = (torch.arange(cells) + 0.5) * width / cells
    squeezed = torch.stack(torch.meshgrid(down, across, indexing="ij"))
    drawn = unsqueezed(squeezed, (height, width))
    px = width / cells  # of a square cell
    inside = slice(0, int(height / px))
    wanted = (torch.arange(cells) + 0.5) * px
    torch.testing.assert_close(drawn[0, inside, 3], wanted[inside])
    torch.testing.assert_close(drawn[1, 0], wanted)
    torch.testing.assert_close(drawn[:, -1], squeezed[:, -1])  # beyond the image its border goes on


def test_a_map_of_a_square_image_stays() -> None:
    square = torch.rand(3, 4, 4)
    torch.testing.assert_close(unsqueezed(square, (50, 50)), square)


def test_a_ribbon_of_an_image_has_features_too() -> None:
    assert unsqueezed(torch.rand(3, 4, 4), (1, 1000)).isfinite().all()


@pytest.mark.parametrize("name", BACKBONES)
def test_a_backbone_gives_features_beside_any_segmenter(name: str, folder: Path) -> None:
    path = str(saved_backbone(name, folder / "model"))
    features = Features(source="transformers", path=path, short_side=56, long_side=112, channels=16)
    inputs = opened_inputs(features, Propose(), folder=folder, device=CPU, cache=folder / "cache")
    read = inputs.read(row(folder), flip=False)
    stride = BACKBONES[name]
    height, width = (-(-side // stride) for side in (56, 93))  # whole cells
    assert read.shape == (3, height * stride, width * stride)
    seen = embedded(inputs, folder)
    model = STOCK[name].from_pretrained(path).eval()
    with torch.no_grad():
        wanted = model(read[None]).feature_maps[-1]
    assert torch.equal(seen, wanted)
    assert seen.shape[-2:] == (height, width)
    maps, strides = inputs.maps(features)
    assert strides == (stride,)
    assert maps(seen)[0].shape == (1, 16, height, width)
    assert facts_of_features(features, Propose()) == {
        "model_sha256": pretrained_digest(Path(path), "k")
    }


def test_norms_that_a_whole_model_lacks_are_not_drawn(folder: Path) -> None:
    path = str(saved_backbone("whole_swin", folder / "model"))
    features = Features(source="transformers", path=path, short_side=64, long_side=128)
    maps = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        inputs = opened_inputs(features, Propose(), folder=folder, device=CPU, cache=None)
        maps.append(embedded(inputs, folder))
    assert torch.equal(*maps)


def test_a_backbone_sees_pixels_as_its_own_processor_makes_them(folder: Path) -> None:
    path = str(saved_backbone("dinov2", folder / "model"))
    features = Features(source="transformers", path=path, short_side=56, long_side=112)
    pixels = np.random.default_rng(0).integers(0, 256, (56, 112, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "a.png")
    inputs = opened_inputs(features, Propose(), folder=folder, device=CPU, cache=None)
    read = inputs.read({**row_of(folder), "height": 56, "width": 112}, flip=False)
    processor = library.AutoImageProcessor.from_pretrained(path)
    stock = processor(pixels, return_tensors="pt", do_resize=False, do_center_crop=False)
    torch.testing.assert_close(read, stock["pixel_values"][0], atol=1e-5, rtol=1e-5)


def test_maps_of_several_shapes_go_in_one_batch(folder: Path) -> None:
    path = str(saved_backbone("dinov2", folder / "model"))
    features = Features(source="transformers", path=path, short_side=56, long_side=112)
    inputs = opened_inputs(features, Propose(), folder=folder, device=CPU, cache=None)
    wide = inputs.read(row(folder), flip=False)
    both = inputs.batch([wide, wide[:, :, :56]], [(row(folder), False)] * 2)
    alone = inputs.batch([wide[:, :, :56]], [(row(folder), False)])
    torch.testing.assert_close(both[1, :, :, :4], alone[0])
    assert not both[1, :, :, 4:].any()


def test_embeddings_of_another_scale_are_not_taken(folder: Path) -> None:
    path = str(saved_backbone("dinov2", folder / "model"))
    shapes = []
    for short in (56, 42):
        features = Features(source="transformers", path=path, short_side=short, long_side=112)
        kept = folder / "cache"
        inputs = opened_inputs(features, Propose(), folder=folder, device=CPU, cache=kept)
        shapes.append(embedded(inputs, folder).shape[-2:])
    assert shapes == [(4, 7), (3, 5)]


def test_what_is_no_backbone_is_refused(folder: Path) -> None:
    features = Features(source="transformers", path=str(saved("sam", folder / "model")))
    with pytest.raises(ValueError, match=r"type sam, of which transformers has no image backbone"):
        opened_inputs(features, Propose(), folder=folder, device=CPU, cache=None)


def test_features_from_a_segmenter_that_nobody_asks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"segmenter is sam, and select.*path is null"):
        facts_of_features(Features(source="transformers"), Propose())
