"""Digests of the user's files: looked up once, and handed to jobs elsewhere."""

import hashlib
import os
from pathlib import Path

import pytest

from stages.planning.digests import FOUND, Digests
from stages.planning.sources import Split, Weights
from stages.segmenters.official import OfficialWeights
from stages.segmenters.published import IMAGENET


@pytest.fixture
def split(tmp_path: Path) -> Split:
    """Two photographs, one of which the annotations name."""
    images = tmp_path / "data" / "images"
    images.mkdir(parents=True)
    for name in ("1.png", "2.png"):
        (images / name).write_bytes(name.encode())
    labels = tmp_path / "data" / "a.json"
    labels.write_text('{"images": [{"id": 1, "file_name": "1.png"}]}')
    return Split(str(images), str(labels))


def _digests(tmp_path: Path, *, fresh: bool = True) -> Digests:
    return Digests(tmp_path / "results" / "r", "content", fresh)


def test_other_content_has_another_digest_and_a_touch_has_not(tmp_path: Path, split: Split) -> None:
    photograph = Path(split.images, "1.png")
    labels, images = (
        _digests(tmp_path).labels(split),
        _digests(tmp_path).photographs(split),
    )
    os.utime(photograph, (1, 1))
    os.utime(split.annotations, (1, 1))
    assert _digests(tmp_path).labels(split) == labels
    assert _digests(tmp_path).photographs(split) == images
    photograph.write_bytes(b"2.png")  # of equal size
    assert _digests(tmp_path).labels(split) == labels
    assert _digests(tmp_path).photographs(split) != images


def test_a_photograph_that_no_annotation_names_does_not_count(tmp_path: Path, split: Split) -> None:
    before = _digests(tmp_path).photographs(split)
    Path(split.images, "2.png").write_bytes(b"another")
    Path(split.images, "3.png").write_bytes(b"new")
    assert _digests(tmp_path).photographs(split) == before


def test_a_job_elsewhere_takes_what_the_main_process_found(tmp_path: Path, split: Split) -> None:
    main = _digests(tmp_path).photographs(split)
    Path(split.images, "1.png").write_bytes(b"another")
    assert _digests(tmp_path, fresh=False).photographs(split) == main
    assert _digests(tmp_path).photographs(split) != main


def test_a_job_elsewhere_looks_itself_where_nothing_was_found(tmp_path: Path, split: Split) -> None:
    digests = _digests(tmp_path, fresh=False)
    assert digests.labels(split) == _digests(tmp_path / "other").labels(split)
    assert not (digests.folder / FOUND).exists()


def test_a_checksum_that_the_stages_insist_on_is_the_digest(tmp_path: Path) -> None:
    digests = _digests(tmp_path)
    assert digests.weights(Weights("no such file", "abc")) == "abc"
    path = tmp_path / "weights.pth"
    found = []
    for content in (b"a", b"b"):
        path.write_bytes(content)
        found.append(_digests(tmp_path).weights(Weights(str(path))))
    assert found[0] != found[1]


def test_a_published_file_counts_alike_before_and_after_it_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"weights"
    digits = hashlib.sha256(content).hexdigest()[:8]
    path = tmp_path / f"net-{digits}.pth"
    monkeypatch.setitem(IMAGENET, path.name, OfficialWeights("net", "", digits))
    before = _digests(tmp_path).weights(Weights(str(path)))
    path.write_bytes(content)
    assert _digests(tmp_path).weights(Weights(str(path))) == before == digits
    path.write_bytes(b"others, under a published name")
    assert _digests(tmp_path).weights(Weights(str(path))) != digits
