"""A tiny finished run of a session, and another of another seed; tests find it as it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.malformed.finished import Finished, finished_run, inside
from tests.malformed.left import contents, copied, put_back


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return finished_run(tmp_path_factory.mktemp("malformed") / "run")


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run of another seed, as far as its labels."""
    return finished_run(tmp_path_factory.mktemp("malformed") / "other", seed=1, until="export")


@pytest.fixture(scope="session")
def kept(sound: Finished) -> dict[Path, bytes]:
    copied(sound.folder)
    return contents(sound.folder)


@pytest.fixture
def run(sound: Finished, kept: dict[Path, bytes]) -> Iterator[Finished]:
    """The run, as it was before whatever a test does to it."""
    with inside(sound.folder):
        yield sound
        put_back(sound.folder, kept)
