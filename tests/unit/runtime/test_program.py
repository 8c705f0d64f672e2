import io
from collections.abc import Sequence

import pytest

from stages.runtime.program import WIPE, run, say


def _failing(error: Exception) -> object:
    def main(argv: Sequence[str] | None) -> None:
        raise error

    return main


def test_a_users_fault_is_one_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run("select", _failing(ValueError("image 7: no proposals.")))  # type: ignore[arg-type]
    assert caught.value.code == 2
    assert capsys.readouterr().err == "select: image 7: no proposals.\n"


SYSTEM = {
    "full disk": (OSError(28, "No space left on device", "a/b.parquet"), "a/b.parquet: no space"),
    "full disk, no name": (OSError(28, "No space left on device"), "no space left on device. Free"),
    "too large": (OSError(27, "File too large", "a"), "a: file too large. Allow larger files"),
    "not allowed": (PermissionError(13, "Permission denied", "a"), "a: permission denied. Allow"),
    "long name": (OSError(36, "File name too long", "a" * 999), "...: file name too long. Give it"),
    "loop": (OSError(40, "Too many levels of symbolic links", "a\nb"), "a\\nb: too many levels"),
    "rare": (OSError(16, "Device or resource busy", "a"), "a: device or resource busy. Mend that"),
    "memory": (MemoryError(), "the memory is full. Give the job more"),
}


@pytest.mark.parametrize(("error", "words"), SYSTEM.values(), ids=SYSTEM.keys())
def test_what_the_system_refuses_is_one_sentence_with_a_remedy(
    error: Exception, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run("select", _failing(error))  # type: ignore[arg-type]
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("select: ")
    assert words in line
    assert line.endswith(".")


def test_a_librarys_own_error_keeps_its_traceback() -> None:
    with pytest.raises(OSError, match="odd"):
        run("select", _failing(OSError("odd")))  # type: ignore[arg-type]


def test_our_fault_keeps_its_traceback() -> None:
    with pytest.raises(RuntimeError):
        run("select", _failing(RuntimeError("ours")))  # type: ignore[arg-type]


def test_a_sentence_takes_the_place_of_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stderr", terminal)
    say("select", "a word.")
    assert terminal.getvalue() == f"{WIPE}select: a word.\n"
