"""The process in which files of our own are spoilt and read, since one of them may take it down.

    python -m tests.fuzz.own_worker FOLDER SEED SECONDS

Prints a line of JSON: how many files were tried, read and refused, and what was found. FOLDER holds
the file that is being read, and `case.txt`, which says which it is.
"""

import json
import sys
import time
import traceback
from collections import Counter
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from random import Random

from tests.fuzz.own_files import Own, each, own_files
from tests.fuzz.worker import TooLong, _limited, _place


def tried(own: Own, number: int, seed: int, folder: Path) -> tuple[str, str]:
    """What became of one spoilt file: read, refused, or the place of a finding; and the finding."""
    data = own.spoilt(Random(f"{seed} {own.name} {number}"))
    path = folder / "spoilt"
    path.write_bytes(data)
    (folder / "case.txt").write_text(f"{own.name}, number {number} of seed {seed}\n{data[:4000]!r}")
    try:
        with _limited(), redirect_stderr(StringIO()):
            each([own.read], path)
        return "read", ""
    except ValueError:
        return "refused", ""
    except (Exception, TooLong) as error:
        return _place(error), "".join(traceback.format_exception(error))[-3000:]


def main(argv: list[str]) -> None:
    """Spoil and read until the time is up, one file of each kind after the other."""
    folder, seed, seconds = Path(argv[0]), int(argv[1]), float(argv[2])
    files, counts, findings = own_files(folder), Counter[str](), dict[str, str]()
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for own in files:
            became, told = tried(own, number, seed, folder)
            counts[f"{own.name}: {became if not told else 'found'}"] += 1
            if told:
                findings.setdefault(f"{own.name}: {became}", f"number {number}\n{told}")
        number += 1
    print(json.dumps({"counts": counts, "findings": findings}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
