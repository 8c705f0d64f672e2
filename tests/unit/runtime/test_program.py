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


def test_our_fault_keeps_its_traceback() -> None:
    with pytest.raises(RuntimeError):
        run("select", _failing(RuntimeError("ours")))  # type: ignore[arg-type]


def test_a_sentence_takes_the_place_of_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stderr", terminal)
    say("select", "a word.")
    assert terminal.getvalue() == f"{WIPE}select: a word.\n"
