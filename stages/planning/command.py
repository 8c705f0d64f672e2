"""What the command lines of the rules are put together from. Standard library alone."""

import shlex
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from stages.runtime.stopping import STARTED_BY

CPU_MALLOC = {  # keeps freed buffers of 100 MB, which halves the time that SAM's decoder takes
    "MALLOC_MMAP_THRESHOLD_": 1 << 31,
    "MALLOC_TRIM_THRESHOLD_": 1 << 33,
    "MALLOC_TOP_PAD_": 1 << 28,
}
COUNTED = (
    "OMP",
    "OPENBLAS",
    "MKL",
    "NUMEXPR",
    "RAYON",
)  # libraries that are told by <name>_NUM_THREADS


def setup_of(root: Path, python: Path, *, gpu: bool, threads: int) -> Callable[[Any, int], str]:
    """What every job's shell does first.

    Snakemake sets OMP_NUM_THREADS to the threads of the job, of which each process and each reader
    of a training has its own: so it is set anew. Libraries in Rust, hotcoco among them, ask
    RAYON_NUM_THREADS, and take all cores else. The program takes the shell's place (`exec`), which
    else would print the whole command when it is killed: 80 KB where there are many shards. It
    learns who has started it, so as to end with it.

    Parameters
    ----------
    python : the interpreter that runs Snakemake; its folder goes first on PATH, unless the job has
        a conda environment of its own.
    gpu : whether jobs may run on one. threads : of one process.

    Returns
    -------
    A params function. It asks for `threads` since Snakemake does not compare such params between
    runs: where the repository and its Python lie decides no result, nor does the threads' number.
    """
    malloc = " ".join(f"{name}={value}" for name, value in CPU_MALLOC.items())
    quoted = [shlex.quote(str(path)) for path in (root, python.parent)]
    of_each = each_of(threads)
    lines = [
        f"export PYTHONPATH={quoted[0]} {STARTED_BY}=$PPID",
        f'[ -n "${{CONDA_PREFIX:-}}" ] || export PATH={quoted[1]}:"$PATH"',
        *([] if gpu else [f"export {malloc}"]),
    ]
    text = "".join(f"{line}; " for line in lines)

    def setup(wildcards: Any, threads: int) -> str:
        counts = " ".join(f"{name}_NUM_THREADS={of_each(wildcards, threads)}" for name in COUNTED)
        return f"export {counts}; {text}exec"

    return setup


def each_of(count: int) -> Callable[[Any, int], int]:
    """A params function, as above: threads of one process, `count` unless the job has fewer."""

    def of_each(wildcards: Any, threads: int) -> int:
        return min(count, threads)

    return of_each


def at_once_of(count: int, each: int) -> Callable[[Any, int], int]:
    """A params function, as above: `count` images in work, if each has `each` threads."""

    def at_once(wildcards: Any, threads: int) -> int:
        return min(count, max(threads // each, 1))

    return at_once


def flag(name: str, values: Collection[Any]) -> str:
    """`name` and the quoted values for a command line; nothing where there are none."""
    return " ".join([name, *(shlex.quote(str(value)) for value in values)]) if values else ""


def flags(paths: Any, *names: str) -> str:
    """`flag` of each attribute of a rule's input: --pseudo-labels for pseudo_labels."""
    found = (flag(f"--{name.replace('_', '-')}", getattr(paths, name)) for name in names)
    return " ".join(text for text in found if text)
