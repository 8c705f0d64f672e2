"""Faults of a file, gathered so that one run shows them all: twenty of each kind, and the total.

A fault that leaves nothing to go on with is raised where it is found; what this gathers are faults
of single entries, which the reader leaves out and goes on. Standard library alone.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.runtime.program import Sentence

SHOWN = 20  # of a kind


class Faults:
    """What is wrong with a file or a folder of labels.

    Parameters
    ----------
    source : the file or folder, for the sentences; None where each names its own.
    """

    def __init__(self, source: Path | None = None):
        self.source = source
        self._counts = Counter[str]()
        self._shown: dict[str, list[str]] = {}

    def add(self, kind: str, sentence: str) -> None:
        """One more fault.

        Parameters
        ----------
        kind : in the plural, for the total: "points outside their image".
        sentence : where, what was seen, what to do: "annotation 7: point (9, 3) is …. Remove it."
        """
        self._counts[kind] += 1
        shown = self._shown.setdefault(kind, [])
        if len(shown) < SHOWN:
            shown.append(" ".join(sentence.splitlines()))  # names may hold ends of lines

    @contextmanager
    def caught(self, kind: str, place: str) -> Iterator[None]:
        """A ValueError raised within is one more fault at that place of the file."""
        try:
            yield
        except ValueError as error:
            self.add(kind, f"{place}: {error}")

    def __len__(self) -> int:
        return self._counts.total()

    def check(self, *others: "Faults") -> None:
        """Raise ValueError with all that was gathered here and there, a line each, if anything."""
        lines = [line for faults in (*others, self) for line in faults.lines()]
        if lines:
            raise ValueError("\n".join(lines))

    def lines(self) -> list[Sentence]:
        """All that was gathered."""
        lines = []
        for kind, count in self._counts.items():
            lines += self._shown[kind]
            if count > SHOWN:
                lines.append(f"... and {count - SHOWN} more {kind}.")
        if len(self) > 1:
            kinds = ", ".join(f"{count} {kind}" for kind, count in self._counts.items())
            lines.append(f"in all: {kinds}.")
        return lines if self.source is None else [f"{self.source}: {line}" for line in lines]
