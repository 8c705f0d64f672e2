"""The lines of a COCO file as `stages.formats.coco_writing` writes them, and of no other."""

import json
from typing import Any

from stages.formats.coco_counts import COUNTS, LISTS, miscount

START, LICENSES = '{"info": {', '"licenses": [],'


class LineReader:
    """Takes one line after the other, from the first to the last.

    Attributes
    ----------
    name : of the list that the last entry is of. number : of lines that were taken.
    """

    def __init__(self) -> None:
        self.name, self.number = "", 0
        self._seen = dict.fromkeys(LISTS, 0)
        self._waiting = ["info", "licenses", *LISTS, COUNTS]
        self._goes_on = False  # the last entry ended with a comma, or the list begins here

    def entry(self, line: str) -> dict[str, Any] | None:
        """The entry in a line; None for a line between them.

        Raises
        ------
        ValueError : this line does not stand there in such a file; the end of a sentence.
        """
        text, self.number = line.rstrip("\n"), self.number + 1
        if not self.name:
            self._between(text)
            return None
        if text == "],":
            if self._goes_on and self._seen[self.name]:
                raise ValueError(f"{self.name} end behind a comma")
            self.name = ""
            return None
        if not self._goes_on:
            raise ValueError(f"an entry of {self.name} without a comma before it")
        self._goes_on = text.endswith(",")
        found = json.loads(text.removesuffix(","))
        if not isinstance(found, dict):
            raise ValueError(f"an entry of {self.name} that is no object")
        self._seen[self.name] += 1
        return found

    def finish(self) -> None:
        """Raise ValueError unless the file has come to its end; the end of a sentence."""
        if self.name or self._waiting:
            raise ValueError(f"it ends before its {self.name or self._waiting[0]}")

    def _between(self, text: str) -> None:
        if not self._waiting:
            raise ValueError("something stands behind the end")
        wanted = self._waiting.pop(0)
        starts = {"info": START, "licenses": LICENSES, COUNTS: f'"{COUNTS}": {{'}
        start = starts.get(wanted, f'"{wanted}": [')
        if not text.startswith(start) or (wanted in LISTS and text != start):
            raise ValueError(f"its {wanted} are not where they should be, on lines of their own")
        if wanted in LISTS:
            self.name, self._goes_on = wanted, True
        if wanted == COUNTS:
            fault = miscount(json.loads("{" + text)[COUNTS], self._seen)
            if fault:
                raise ValueError(fault)
