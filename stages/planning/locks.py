"""After a kill or a power cut: the locks that a dead Snakemake left behind are not in the way.

Snakemake locks its outputs with files that outlive it, so that a killed run had to be followed by
`snakemake --unlock`. Here every living Snakemake also shares a lock of the operating system, which
ends with the process: whoever can have it alone knows that all other locks are from the dead.
"""

import contextlib
import fcntl
from pathlib import Path
from typing import IO

NAME = "alive"


def forget_dead_runs(folder: Path) -> IO[bytes]:
    """Remove the locks in Snakemake's folder where no living run can have set them.

    Parameters
    ----------
    folder : `.snakemake` of the working folder.

    Returns
    -------
    An open file; as long as it is open, this process counts as living.
    """
    folder.mkdir(exist_ok=True)
    alive = (folder / NAME).open("ab")
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for lock in folder.glob("locks/*.lock"):
            lock.unlink(missing_ok=True)
    fcntl.flock(alive, fcntl.LOCK_SH)
    return alive
