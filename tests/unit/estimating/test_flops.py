"""Work of a SAM, held against sums over its layers that are written out here."""

import pytest
import torch
from segment_anything.modeling import Sam

from stages.estimating.flops import work_of
from stages.segmenters.sam_loading import BUILDERS


def _encoder(
    side: int, patch: int, width: int, depth: int, window: int, whole: int, out: int
) -> int:
    """FLOP of a ViT of SAM's, twice its multiplications; `whole` blocks attend everywhere.

    With windows there are relative positions too; without, none.
    """
    cells = side // patch
    tokens = cells**2
    total = tokens * 3 * patch**2 * width
    for block in range(depth):
        spans = cells if block < whole or not window else window
        count = -(-cells // spans)  # windows along a side, padded
        seen = (count * spans) ** 2  # tokens, with the padding
        total += seen * width * 3 * width + seen * width * width  # qkv and projection
        total += 2 * seen * spans**2 * width  # scores, and their sums
        total += 2 * seen * spans * width if window else 0  # relative heights and widths
        total += 2 * tokens * width * 4 * width  # mlp
    return 2 * (total + tokens * width * out + tokens * 9 * out * out)


SHAPES = {  # model: side, patch, width, depth, window, blocks without one, channels
    "vit_tiny": (128, 8, 128, 5, 0, 5, 96),
    "vit_b": (1024, 16, 768, 12, 14, 4, 256),
    "vit_l": (1024, 16, 1024, 24, 14, 4, 256),
    "vit_h": (1024, 16, 1280, 32, 14, 4, 256),
}


@pytest.mark.parametrize("model", SHAPES)
def test_the_encoders_work_is_that_of_its_layers(model: str) -> None:
    assert work_of(model).encoder == pytest.approx(_encoder(*SHAPES[model]), rel=1e-3)


def test_the_work_is_what_the_documents_say() -> None:
    assert work_of("vit_h").encoder / 1e12 == pytest.approx(5.96, abs=0.005)
    assert work_of("vit_b").encoder / 1e12 == pytest.approx(0.972, abs=0.001)
    assert work_of("vit_b").decoder == work_of("vit_h").decoder
    assert work_of("vit_b").decoder / 1e9 == pytest.approx(3.62, abs=0.005)


def test_parameters_and_embedding_are_those_of_the_tiny_sam() -> None:
    sam: Sam = BUILDERS["vit_tiny"]()
    found = work_of("vit_tiny")
    assert found.parameters == sum(weight.numel() for weight in sam.parameters())
    with torch.no_grad():
        assert found.embedding == sam.image_encoder(torch.zeros(1, 3, 128, 128)).nbytes
