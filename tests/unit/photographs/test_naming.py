"""Photographs are found by any spelling of their name, and by none that leads outside."""

import unicodedata
from pathlib import Path

import pytest

from stages.photographs.naming import Names, image_path, leads_outside
from stages.photographs.reading import read_header

OUTSIDE = ["", "../secret.png", "/etc/hostname", "a/../../b.png", "null\0.png", ".."]


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_name_leads_outside_the_folder(name: str, tmp_path: Path) -> None:
    assert leads_outside(name)
    with pytest.raises(ValueError, match="leads outside the image folder"):
        image_path(tmp_path, name)
    assert Names(tmp_path).find(name) == name  # for image_path to refuse


def test_a_folder_inside_is_fine(tmp_path: Path) -> None:
    assert image_path(tmp_path, "2007/a.png") == tmp_path / "2007" / "a.png"


def test_a_link_that_leads_outside_is_refused_unless_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "folder" / "link").symlink_to(tmp_path)
    with pytest.raises(ValueError, match=r"leads outside .* Set dataset\.follow_links: true"):
        image_path(tmp_path / "folder", "link/a.png")
    path = image_path(tmp_path / "folder", "link/a.png", follow_links=True)
    assert path == tmp_path / "folder" / "link" / "a.png"
    with pytest.raises(ValueError, match="leads outside"):
        image_path(tmp_path / "folder", "../a.png", follow_links=True)


def composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def decomposed(name: str) -> str:
    return unicodedata.normalize("NFD", name)


FOUND = {  # name in the labels: file on disk
    "as it is": ("p1.png", "p1.png"),
    "in a folder": ("sub/p1.png", "sub/p1.png"),
    "back-slashes": ("sub\\p1.png", "sub/p1.png"),
    "a blank": ("my%20photo.png", "my photo.png"),
    "a blank in a folder": ("sub\\my%20photo.png", "sub/my photo.png"),
    "a percent sign that is one": ("100%25.png", "100%25.png"),
    "suffix in capitals": ("p1.PNG", "p1.png"),
    "name in capitals": ("p1.png", "P1.png"),
    "composed": (composed("caf\u00e9.png"), decomposed("caf\u00e9.png")),
    "decomposed": (decomposed("caf\u00e9.png"), composed("caf\u00e9.png")),
    "with the folder's name": ("photographs/p1.png", "p1.png"),
    "with back-slashes and the folder's name": ("photographs\\1\\p1.png", "1/p1.png"),
    "with a dot": ("./p1.png", "p1.png"),
}


@pytest.mark.parametrize(("name", "file"), FOUND.values(), ids=FOUND)
def test_a_photograph_is_found(name: str, file: str, tmp_path: Path) -> None:
    folder = tmp_path / "photographs"
    (folder / file).parent.mkdir(parents=True)
    (folder / file).write_bytes(b"")
    (folder / "other.png").write_bytes(b"")
    found = Names(folder).find(name)
    assert found is not None
    assert (folder / found).samefile(folder / file)


def test_an_exact_name_goes_before_others(tmp_path: Path) -> None:
    for name in ("a%20b.png", "a b.png", "A B.png"):
        (tmp_path / name).write_bytes(b"")
    names = Names(tmp_path)
    assert names.find("a%20b.png") == "a%20b.png"
    assert names.find("a b.png") == "a b.png"


def test_a_name_that_fits_two_files_is_not_guessed(tmp_path: Path) -> None:
    for name in ("a.png", "A.png"):
        (tmp_path / name).write_bytes(b"")
    names = Names(tmp_path)
    assert names.find("a.PNG") is None
    assert "A.png and a.png are there" in names.hint("a.PNG")


HINTS = {
    "elsewhere": ("x/p1.png", "sub/p1.png is there"),
    "similar": ("photograh.png", "the name most like it is photograph.png"),
    "nothing": ("quite-another.png", "no file of a similar name is there"),
    "back-slashes": ("q\\zzz.png", "back-slashes are read as folders"),
}


@pytest.mark.parametrize(("name", "said"), HINTS.values(), ids=HINTS)
def test_a_hint_names_what_is_there(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "p1.png").write_bytes(b"")
    (tmp_path / "photograph.png").write_bytes(b"")
    names = Names(tmp_path)
    assert names.find(name) is None
    assert said in names.hint(name)


def test_names_that_no_file_can_have_are_missing(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to(tmp_path / "round")
    for name in ("x" * 5000, "round", "round/a.png"):
        path = image_path(tmp_path, name)
        with pytest.raises(ValueError, match="this file is missing"):
            read_header(path, path)
