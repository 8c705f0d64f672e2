"""The files that a user's network stands on: all of them, each once."""

from pathlib import Path

import pytest

from stages.engines.config_files import config_files


def write(folder: Path, **files: str) -> Path:
    """Writes name__suffix files; returns the first."""
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder / next(iter(files)).replace("__", ".")


def test_without_a_file_there_is_none() -> None:
    assert config_files(None) == []


def test_bases_of_yaml_are_followed_each_once(tmp_path: Path) -> None:
    listed = '_BASE_:\n  - "b.yaml"\n  - c.yml\nMODEL: {}\n'
    path = write(
        tmp_path, a__yaml=listed, b__yaml="_BASE_: ['c.yml', a.yaml]\n", c__yml="X: b.yaml\n"
    )
    assert [file.name for file in config_files(str(path))] == ["a.yaml", "b.yaml", "c.yml"]


def test_a_link_is_followed_to_where_its_bases_lie(tmp_path: Path) -> None:
    path = write(tmp_path, a__yaml="_BASE_: b.yaml\n", b__yaml="")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a.yaml").symlink_to(path)
    found = config_files(str(tmp_path / "links" / "a.yaml"))
    assert found == [path.resolve(), tmp_path.resolve() / "b.yaml"]


def test_imports_with_dots_of_a_program_are_followed(tmp_path: Path) -> None:
    (tmp_path / "common").mkdir()
    write(tmp_path / "common", heads__py="from ..b import x\n")
    text = "import torch\nfrom .common.heads import heads\nfrom detectron2 import model_zoo\n"
    path = write(tmp_path, a__py=text, b__py="x = 1\n")
    assert [file.name for file in config_files(str(path))] == ["a.py", "heads.py", "b.py"]


def test_a_program_with_a_fault_counts_itself(tmp_path: Path) -> None:
    path = write(tmp_path, a__py="from .b import (\n")
    assert config_files(str(path)) == [path.resolve()]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("_BASE_: none.yaml\n", r"needs .*none\.yaml, and there is no such file"),
        ("_BASE_: https://a.org/b.yaml\n", "lies on the network, and nothing is downloaded"),
    ],
)
def test_what_is_not_there_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        config_files(str(write(tmp_path, a__yaml=text)))
