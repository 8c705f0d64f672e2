from collections.abc import Sequence

import pytest

from stages.runtime.program import run
from stages.runtime.progress import Progress


def _failing(error: Exception) -> object:
    def main(argv: Sequence[str] | None) -> None:
        raise error

    return main


def test_a_users_fault_is_one_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run("select", _failing(ValueError("image 7: no proposals.")))  # type: ignore[arg-type]
    assert caught.value.code == 2
    assert capsys.readouterr().err == "select: image 7: no proposals.\n"


def test_our_fault_keeps_its_traceback() -> None:
    with pytest.raises(RuntimeError):
        run("select", _failing(RuntimeError("ours")))  # type: ignore[arg-type]


def test_progress_prints_every_so_often_and_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress("select", 5, every=2)
    for _ in range(5):
        progress.step()
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        "select: 2/5 images",
        "select: 4/5 images",
        "select: 5/5 images",
    ]


def test_progress_counts_what_an_earlier_run_finished(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress("select", 3, every=64)
    progress.skip(1)
    progress.skip(1)
    progress.step()
    first, last = capsys.readouterr().err.splitlines()
    assert first == "select: resuming; finished work is kept."
    assert last.startswith("select: 3/3 images")
