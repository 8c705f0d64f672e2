"""Which device a job computes on; one GPU belongs to one job at a time.

Snakemake counts GPUs but does not assign them, so each job takes a lease: an exclusive `flock` on a
file per device, which the kernel gives back even after `kill -9`.
"""

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import torch

from stages.runtime.program import say

WAIT = 0.5  # s between two looks for a free GPU


@contextmanager
def leased(device: str, folder: Path | None = None) -> Iterator[torch.device]:
    """Yield the device to compute on, held until the block ends.

    Parameters
    ----------
    device : "cpu", "cuda", or "auto" (cuda where there is one).
    folder : of the lock files; default: one per user below the system's temporary folder.

    Raises
    ------
    ValueError : "cuda" without a GPU, at once.
    """
    count = torch.cuda.device_count()
    if device == "cuda" and not count:
        raise ValueError("device: cuda is set, but PyTorch sees no GPU. Set device: cpu or auto.")
    if device == "cpu" or not count:
        yield torch.device("cpu")
        return
    with lease(count, folder or _lock_folder()) as number:
        yield torch.device("cuda", number)


@contextmanager
def lease(count: int, folder: Path) -> Iterator[int]:
    """Yield the number of a free device of `count`, waiting until there is one."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    told = False
    while True:
        for number in range(count):
            file = _locked(folder / f"gpu-{number}.lock")
            if file is not None:
                with file:
                    yield number
                return
        if not told:
            say("device", f"all {count} GPUs are taken by other jobs; waiting.")
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


def _lock_folder() -> Path:
    """Per user, and per choice of visible devices, whose numbers mean other cards."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "all").replace("/", "_")
    return Path(tempfile.gettempdir()) / f"maskmill-gpu-{os.getuid()}-{visible}"
