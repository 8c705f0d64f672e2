"""Links to the user's files whose names Snakemake cannot read."""

import os
from pathlib import Path

import pytest

from stages.planning.links import Links, misread

MISREAD = [
    *(("{old} set/a", "{"), ("a{b", "{"), ("b}", "}"), ("/data/<old>", "<"), ("a>b", ">")),
    *(("a\nb", "\n"), ("a\tb", "\t"), ("-new/a", "-")),
]
READ = ["", "a", "/data/my set/a-b.json", 'it\'s "50 %"', "*?[a] $HOME ~ ;`x` \\", "日本 ü", "./a"]


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Links:
    """Of the run r, in a working folder of its own."""
    monkeypatch.chdir(tmp_path)
    return Links(Path("results/r"))


@pytest.mark.parametrize("path", READ)
def test_a_path_that_snakemake_reads_stays(path: str, links: Links) -> None:
    assert misread(path) is None
    assert links.readable(path, "key") == path
    assert not Path("results").exists()


@pytest.mark.parametrize(("path", "character"), MISREAD, ids=[repr(path) for path, _ in MISREAD])
def test_any_other_is_a_link_that_leads_to_it(path: str, character: str, links: Links) -> None:
    assert misread(path) == character
    link = links.readable(path, "key")
    assert misread(link) is None
    assert os.readlink(link) == os.path.abspath(path)
    assert links.readable(path, "key") == link
    assert [found.name for found in Path(link).parent.iterdir()] == [Path(link).name]


def test_paths_of_one_name_have_links_of_their_own(links: Links) -> None:
    made = {links.readable(path, "key") for path in ("{a}/x.json", "{b}/x.json")}
    assert len(made) == 2
    assert {Path(link).name for link in made} == {"x.json"}


def test_a_link_follows_its_working_folder(
    links: Links, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = links.readable("{a}/x", "key")
    (tmp_path / "results").rename(tmp_path / "moved")
    (tmp_path / "new").mkdir()
    (tmp_path / "moved").rename(tmp_path / "new" / "results")
    monkeypatch.chdir(tmp_path / "new")
    assert links.readable("{a}/x", "key") == link
    assert os.readlink(link) == str(tmp_path / "new" / "{a}" / "x")


def test_a_job_takes_the_link_that_the_main_process_made(links: Links) -> None:
    made = Links(links.folder, fresh=False).readable("{a}", "key")
    assert not Path("results").exists()
    assert links.readable("{a}", "key") == made


def test_a_link_that_cannot_be_made_names_the_key_and_the_character(links: Links) -> None:
    Path("results").touch()
    with pytest.raises(ValueError, match=r"dataset\.train\.images: Snakemake misreads the '\{' in"):
        links.readable("{a}", "dataset.train.images")
