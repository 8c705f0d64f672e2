"""What the system refuses while a program writes: one sentence, and the outputs of before stay."""

import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.malformed.attempt import attempt
from tests.malformed.finished import Finished
from tests.malformed.left import contents
from tests.malformed.sentences import assert_one_sentence

pytestmark = pytest.mark.long

WRITERS = (
    *("prepare", "propose", "fit_select", "select", "fit_refine", "refine", "grade", "export"),
    *("train", "predict_held_out", "evaluate", "report"),
)
ON_A_SMALL_DISK = ("prepare", "grade", "export")
ROOM = 64 << 10  # bytes of the small disk


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """No file may grow beyond that many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 999], ids=["no byte", "a kilobyte"])
@pytest.mark.parametrize("program", WRITERS)
def test_a_file_that_may_not_grow_is_one_sentence(
    program: str, size: int, run: Finished, kept: dict[Path, bytes]
) -> None:
    job = run.jobs[program]
    with files_of_at_most(size):
        outcome = attempt(program, job.words)
    assert_one_sentence(outcome, program, "file too large")
    assert contents(run.folder) == kept


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of ROOM bytes, where this user may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(["mount", *options], check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("program", ON_A_SMALL_DISK)
def test_a_full_disk_is_one_sentence_and_what_was_there_stays(
    program: str, run: Finished, small_disk: Path
) -> None:
    job = run.jobs[program]
    (small_disk / "before").write_bytes(b"before")
    filled = small_disk / "filled"
    with pytest.raises(OSError, match="No space left"):
        filled.write_bytes(bytes(2 * ROOM))
    words = [
        _moved(word, small_disk) if _is_output(job.words, n) else word
        for n, word in enumerate(job.words)
    ]
    outcome = attempt(program, words)
    assert_one_sentence(outcome, program, "no space left on device")
    left = {path.name for path in small_disk.iterdir() if path.suffix != ".parts"}
    assert left == {"before", "filled"}
    assert (small_disk / "before").read_bytes() == b"before"


def _is_output(words: tuple[str, ...], place: int) -> bool:
    return place > 0 and words[place - 1].startswith("--out")


def _moved(word: str, folder: Path) -> str:
    return str(folder / Path(word).name)
