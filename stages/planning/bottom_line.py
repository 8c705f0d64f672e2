"""The last line of a terminal while a run goes on: what its jobs do, wiped for other words."""

import shutil
import sys
import threading
from collections.abc import Callable

from stages.runtime.program import WIPE, Sentence

MOVE_AFTER = 1.0  # s between two looks at what jobs say


class BottomLine:
    """Moves on a terminal alone.

    Parameters
    ----------
    text : what it says now; empty while others write to the terminal.
    """

    def __init__(self, text: Callable[[], Sentence]):
        self.text, self._ended = text, threading.Event()
        self.moves = sys.stderr.isatty()

    def start(self) -> None:
        """Move until `end`, in a thread that keeps no process alive."""
        if self.moves:
            threading.Thread(target=self._move, daemon=True).start()

    def end(self) -> None:
        """Move no more."""
        self._ended.set()
        self.wipe()

    def wipe(self) -> None:
        """Make place for a line that stays."""
        if self.moves:
            print(WIPE, end="", file=sys.stderr, flush=True)

    def _move(self) -> None:
        while not self._ended.wait(MOVE_AFTER):
            text = self.text()
            if text:
                width = shutil.get_terminal_size().columns - 1  # a longer one could not be wiped
                print(f"{WIPE}{text[:width]}", end="", file=sys.stderr, flush=True)
