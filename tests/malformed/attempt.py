"""Programs of ours called in this process, as a command line calls them: how each ended."""

import signal
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from typing import Any

from stages.runtime import program as programs

PATIENCE = 30  # s; what takes longer waits for something
OURS = 70  # exit code of an error that is no sentence
WAITED = 71


@dataclass(frozen=True, slots=True)
class Outcome:
    """code : what the program would exit with. text : all of its stderr."""

    code: int
    text: str

    @property
    def last(self) -> str:
        """The last line, which is what it was ended by."""
        return next((line for line in reversed(self.text.splitlines()) if line.strip()), "")


class WaitedError(BaseException):
    """A program waits; nothing can catch it."""


def attempt(program: str, words: Sequence[str]) -> Outcome:
    """Run a program of ours with these words."""
    module = import_module(f"stages.{program}")
    said = StringIO()
    code = 0
    with redirect_stderr(said), redirect_stdout(StringIO()):
        try:
            with _patience():
                programs.run(program, lambda _: module.main(list(words)))
        except SystemExit as error:
            code = int(error.code or 0)
        except WaitedError:
            code = WAITED
        except BaseException:
            code = OURS
            traceback.print_exc(file=said)
    return Outcome(code, said.getvalue())


@contextmanager
def _patience() -> Iterator[None]:
    def stop(number: int, frame: Any) -> None:
        raise WaitedError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
