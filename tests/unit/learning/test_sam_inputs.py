"""Embeddings are kept by photograph and orientation, and made again where they are cut."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stages.learning.adapter import Adapter
from stages.learning.sam_inputs import SamInputs, facts_of_features, opened_inputs
from stages.runtime.provenance import sha256_of
from stages.segmenters.embed import Encoder
from stages.segmenters.tiny import build_vit_tiny
from stages.settings.propose import Propose
from stages.settings.segmenters.sam import Settings as Sam
from stages.settings.selectors.psm import Features
from tests.one_photograph import row_of, written

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder(build_vit_tiny())


def test_embeddings_are_computed_once_for_each_orientation(folder: Path, encoder: Encoder) -> None:
    inputs = SamInputs(folder, CPU, encoder, folder / "cache")
    seen = {}
    for flip in (False, True):
        image = inputs.read(row_of(folder), flip=flip)
        assert image.shape[0] == 3
        seen[flip] = inputs.batch([image], [(row_of(folder), flip)])
        cached = inputs.read(row_of(folder), flip=flip)
        assert torch.equal(inputs.batch([cached], [(row_of(folder), flip)]), seen[flip])
        assert torch.equal(cached, seen[flip][0])
    assert not torch.allclose(seen[True], seen[False])
    assert not torch.allclose(seen[True], seen[False].flip(3), atol=1e-3)  # not the same thing
    digest = row_of(folder)["digest"][:32]
    kept = sorted(path.relative_to(folder / "cache").as_posix() for path in files(folder / "cache"))
    assert kept == [f"{digest[:2]}/{digest}-flipped.npy", f"{digest[:2]}/{digest}.npy"]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_an_embedding_that_a_crash_cut_short_is_made_again(folder: Path, encoder: Encoder) -> None:
    inputs = SamInputs(folder, CPU, encoder, folder / "cache")
    whole = inputs.batch([inputs.read(row_of(folder), flip=False)], [(row_of(folder), False)])
    (path,) = files(folder / "cache")
    for length in (0, 100, path.stat().st_size - 1):
        path.write_bytes(path.read_bytes()[:length])
        again = inputs.batch([inputs.read(row_of(folder), flip=False)], [(row_of(folder), False)])
        assert torch.equal(again, whole)


def test_without_a_cache_nothing_is_written(folder: Path, encoder: Encoder) -> None:
    inputs = SamInputs(folder, CPU, encoder, None)
    inputs.batch([inputs.read(row_of(folder), flip=False)], [(row_of(folder), False)])
    assert [path.name for path in folder.iterdir()] == ["a.png"]


def test_an_embedding_does_not_depend_on_its_batch(folder: Path, encoder: Encoder) -> None:
    inputs = SamInputs(folder, CPU, encoder, None)
    images = [inputs.read(row_of(folder), flip=flip) for flip in (False, True)]
    both = inputs.batch(images, [(row_of(folder), False), (row_of(folder), True)])
    assert torch.equal(both[1], inputs.batch(images[1:], [(row_of(folder), True)])[0])


def test_embeddings_can_be_trained_on(folder: Path, encoder: Encoder) -> None:
    inputs = SamInputs(folder, CPU, encoder, None)
    batch = inputs.batch([inputs.read(row_of(folder), flip=False)], [(row_of(folder), False)])
    layer = torch.nn.Conv2d(batch.shape[1], 2, 1)
    layer(batch).sum().backward()
    assert layer.weight.grad is not None


def test_a_photograph_that_was_replaced_is_refused(folder: Path, encoder: Encoder) -> None:
    row = row_of(folder)
    Image.fromarray(np.ones((60, 100, 3), np.uint8)).save(folder / "a.png")
    with pytest.raises(ValueError, match=r"a\.png.*replaced"):
        SamInputs(folder, CPU, encoder, None).read(row, flip=False)


def test_maps_are_an_adapter_of_the_embedding(folder: Path, encoder: Encoder) -> None:
    inputs = SamInputs(folder, CPU, encoder, None)
    maps, strides = inputs.maps(Features(channels=16))
    batch = inputs.batch([inputs.read(row_of(folder), flip=False)], [(row_of(folder), False)])
    assert isinstance(maps, Adapter)
    assert strides == (encoder.side / batch.shape[-1],)
    assert maps(batch)[0].shape[1] == 16


@pytest.mark.parametrize("cache", [True, False])
def test_the_cache_is_where_the_settings_want_one(
    folder: Path, random_sam: dict[str, Any], cache: bool
) -> None:
    propose, features = Propose(sam=Sam(**random_sam)), Features(cache=cache)
    kept = folder / "cache"
    inputs = opened_inputs(features, propose, folder=folder, device=CPU, cache=kept)
    inputs.batch([inputs.read(row_of(folder), flip=False)], [(row_of(folder), False)])
    assert kept.exists() == cache
    weights = sha256_of(Path(random_sam["checkpoint"]))
    assert facts_of_features(features, propose) == {"model_sha256": weights}


def test_stages_of_a_run_share_embeddings_of_the_same_weights_alone(
    folder: Path, random_sam: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = list[int]()
    stock = Encoder.embedded
    monkeypatch.setattr(Encoder, "embedded", lambda self, x: (made.append(1), stock(self, x))[1])

    def seen(sam: dict[str, Any]) -> torch.Tensor:
        place = {"folder": folder, "cache": folder / "embeddings"}
        inputs = opened_inputs(Features(), Propose(sam=Sam(**sam)), device=CPU, **place)
        return inputs.batch([inputs.read(row_of(folder), flip=False)], [(row_of(folder), False)])

    first = seen(random_sam)
    assert torch.equal(seen(random_sam), first)
    assert len(made) == 1
    torch.save(build_vit_tiny().state_dict(), tmp_path / "other.pth")
    assert not torch.equal(seen({**random_sam, "checkpoint": str(tmp_path / "other.pth")}), first)
    assert len(made) == 2


def test_features_from_a_sam_that_nobody_asks_are_refused() -> None:
    propose = Propose().model_copy(update={"segmenter": "flood"})
    with pytest.raises(ValueError, match=r"source: sam, but propose\.segmenter is flood"):
        facts_of_features(Features(source="sam"), propose)
