"""The compiled encoder: as the stock one, but for rounding; without a compiler, one sentence."""

import shutil
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from segment_anything.modeling import Sam

from stages.segmenters.compiled_encoder import with_compiled_encoder
from stages.segmenters.sam import SamSegmenter
from stages.segmenters.segmenter import Asked
from stages.settings.segmenters.sam import Settings

pytestmark = pytest.mark.long  # a compiler takes its time


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that was compiled before."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    torch.compiler.reset()


@pytest.mark.skipif(not shutil.which("g++"), reason="no g++ here")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_masks_are_those_of_the_stock_one_but_for_pixels(
    precision: str, sam: Sam, picture: np.ndarray, tmp_path: Path
) -> None:
    asked = [Asked(np.array([[20.0, 20.0]]), np.array([1]), None)]
    compiled = with_compiled_encoder(deepcopy(sam), half=precision == "bfloat16")
    assert any(tmp_path.rglob("*.cpp"))
    masks = []
    for one in (sam, compiled):
        segmenter = SamSegmenter(one, Settings(precision=precision))
        segmenter.embed(picture)
        masks.append(next(iter(segmenter.ask(asked, multimask=True))).masks)
    assert masks[0].any()
    assert (masks[0] != masks[1]).mean() < 0.02


def test_without_a_compiler_it_is_one_sentence(sam: Sam) -> None:
    from torch._inductor import config

    with (
        config.patch({"cpp.cxx": ("/nowhere/g++",)}),
        pytest.raises(ValueError, match=r"^propose\.sam\.compile: .* or set it to false\.$"),
    ):
        with_compiled_encoder(deepcopy(sam), half=False)
