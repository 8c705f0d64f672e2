"""Files that a config names: there, another one, to be fetched, or missing."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from stages.checkup.files import (
    Named,
    data_found,
    named_data,
    named_weights,
    shipped_weights,
    weights_found,
)
from stages.settings.judge import judged
from stages.settings.overrides import laid_over

ROOT = Path(__file__).resolve().parents[3]
CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with one weight file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.pth").write_bytes(CONTENT)
    (tmp_path / "resnet50-0676ba61.pth").write_bytes(CONTENT)
    return tmp_path


FILES = [
    ("w.pth", None, "ok", "held against nothing"),
    ("w.pth", SHA256.upper(), "ok", "as wanted"),
    ("w.pth", "0" * 64, "wrong", "is wanted"),
    ("no.pth", None, "missing", "there is no no.pth"),
    ("resnet50-0676ba61.pth", None, "wrong", "0676ba61 is wanted"),
    ("new/vgg16-397923af.pth", None, "absent", "snakemake fetches it"),
    ("${NO_SUCH_FOLDER}/w.pth", None, "missing", "NO_SUCH_FOLDER is not set"),
    (".", None, "ok", "a folder"),
]


@pytest.mark.parametrize(("text", "sha256", "state", "said"), FILES)
def test_a_weight_file_is_held_against_its_checksum(
    text: str, sha256: str | None, state: str, said: str, here: Path
) -> None:
    found = weights_found(Named("train.weights", text, sha256), here)
    assert found.state == state
    assert said in found.seen
    assert bool(found.remedy) == (state != "ok")


def test_the_shipped_weights_are_those_of_their_card(here: Path) -> None:
    found = weights_found(shipped_weights(), ROOT)
    assert (found.state, found.what) == ("ok", "the shipped tiny SAM")
    assert "as wanted" in found.seen


def _keys(**changes: Any) -> dict[str, str]:
    return {named.key: named.text for named in named_weights(judged(changes))}


def test_the_default_names_the_shipped_weights_alone() -> None:
    assert _keys() == {"propose.sam.checkpoint": "workflow/resources/vit_tiny.pth"}


def test_files_of_methods_that_are_not_chosen_do_not_count() -> None:
    vit = {"network": "vit", "vit": {"weights": "deit.pth"}}
    assert "fit_prompt.vit.weights" not in _keys(fit_prompt=vit)
    clues = {"sources": [{"source": "grid"}, {"source": "clues", "maps": ["coarse"]}]}
    assert _keys(fit_prompt=vit, prompt=clues)["fit_prompt.vit.weights"] == "deit.pth"
    train = {"backbone": "resnet50", "weights": "r.pth"}
    assert _keys(train=train)["train.weights"] == "r.pth"
    assert "train.weights" not in _keys(train={**train, "enabled": False})


def test_data_on_disk_have_to_be_there(here: Path) -> None:
    assert named_data(judged({})) == []
    split = {"images": str(here), "annotations": "none.json"}
    files = {"dataset": {"source": "files", "train": split}}
    found = [data_found(named) for named in named_data(judged(laid_over({}, files)))]
    assert [(finding.what, finding.state) for finding in found] == [
        ("dataset.train.images", "ok"),
        ("dataset.train.annotations", "missing"),
    ]
    assert "correct dataset.train.annotations" in found[1].remedy
