"""One card belongs to one job at a time: by the card's own name, not the number it is seen as.

Snakemake counts GPUs but does not assign them, so each job takes a lease: an exclusive `flock` on a
file per card, which the kernel gives back even after `kill -9`. A scheduler such as SLURM shows
each job its own card as number 0, so a number would make jobs wait that have nothing in common.
"""

import fcntl
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from stages.runtime.program import say

WAIT = 0.5  # s between two looks for a free card
UNFIT = re.compile(r"[^\w.-]")  # for the name of a file


@contextmanager
def lease(uuids: Sequence[str], folder: Path) -> Iterator[int]:
    """Yield the number of a free card, waiting until there is one.

    Parameters
    ----------
    uuids : names of the cards that this job sees, unique on the machine, at least one.
    folder : of the lock files; the same for all jobs that share cards.

    Yields
    ------
    Position in `uuids` of the card that is held until the block ends.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    locks = [folder / (UNFIT.sub("_", uuid) + ".lock") for uuid in uuids]
    told = False
    while True:
        for number, path in enumerate(locks):
            file = _locked(path)
            if file is not None:
                with file:
                    yield number
                return
        if not told:
            say("device", f"all {len(uuids)} GPUs are taken by other jobs; waiting.")
            told = True
        time.sleep(WAIT)


def _locked(path: Path) -> IO[str] | None:
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
