"""After a kill or a power cut: the locks that a dead Snakemake left behind are not in the way.

Snakemake locks its outputs with files that outlive it, so that a killed run had to be followed by
`snakemake --unlock`. Here each run records who holds which lock. The next run removes the locks of
dead processes of this machine, and no others: those of a living process, of another machine or of
no record stay, and a sentence says whose they are and what to type. A run that is killed before its
first job (while conda makes environments, say) has no record yet. Standard library alone.
"""

import json
import os
import socket
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stages.runtime.atomic import write_text

RECORDS = "maskmill"  # folder of the records in Snakemake's own folder
ENDED = "ZX"  # states in /proc of a process that has ended
OF_THE_MACHINE = 0xEFFFFFFC  # number of Linux's first pid namespace
UNLOCK = "If that run is dead, type: snakemake --unlock"

Lock = tuple[str, int, int]  # name, inode and time (ns): names are used again


@dataclass(frozen=True, slots=True)
class Run:
    """Who holds locks.

    host : as `host_of_this_process` says.
    started : ticks from boot to the start of process `pid`, so that a reused pid is told apart;
        None where the system does not say.
    """

    host: str
    pid: int
    started: int | None
    locks: tuple[Lock, ...]

    def is_dead(self) -> bool:
        """Whether this was a process of this machine that has ended; False where unknown."""
        if self.host != host_of_this_process() or self.started is None:
            return False
        return start_of(self.pid) not in (self.started, None)


def remember_run(folder: Path, locks: Iterable[Path], pid: int | None = None) -> None:
    """Record that a process holds `locks`; nothing is written where it holds none.

    Parameters
    ----------
    folder : `.snakemake` of the working folder. pid : of the process; default: this one.
    """
    pid, host = pid or os.getpid(), host_of_this_process()
    held = tuple(found for path in locks if (found := _lock_of(path)))
    if held:
        text = json.dumps(asdict(Run(host, pid, start_of(pid), held)))
        write_text(folder / RECORDS / f"{host}-{pid}.json", text + "\n")


def forget_dead_runs(folder: Path) -> list[str]:
    """Remove the locks that dead processes of this machine held, and all records without a lock.

    Parameters
    ----------
    folder : `.snakemake` of the working folder; may be missing.

    Returns
    -------
    A sentence for each lock that stays: whose it is, and what to type.
    """
    owners = dict[Lock, Run]()
    for record in sorted((folder / RECORDS).glob("*.json")):
        run = _read(record)
        if run is None:
            continue
        held = {found: path for path in _locks(folder) if (found := _lock_of(path)) in run.locks}
        if run.is_dead():
            for path in held.values():
                path.unlink(missing_ok=True)
        if run.is_dead() or not held:
            record.unlink(missing_ok=True)
        owners |= dict.fromkeys(held, run)
    return [_whose(path, owners) for path in _locks(folder)]


def locks_of(persistence: Any) -> list[Path]:
    """The lock files that Snakemake's `workflow.persistence` has written in this process."""
    return [Path(path) for path in getattr(persistence, "_lockfile", {}).values()]


def host_of_this_process() -> str:
    """Name of the machine, with the namespace of a container, whose pids mean other processes."""
    name = socket.gethostname().replace("/", "_")
    try:
        space = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return name
    return name if space == OF_THE_MACHINE else f"{name}-{space}"


def start_of(pid: int) -> int | None:
    """Ticks from boot to the start of a process; 0 where it has ended, None where unknown."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None if _answers(pid) else 0
    state, *fields = text.rpartition(")")[2].split()  # a program's name may hold anything
    return 0 if state in ENDED else int(fields[18])


def _answers(pid: int) -> bool:
    """Whether a process lives, where /proc hides those of other users."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it lives, and is another user's
        return True
    return True


def _locks(folder: Path) -> list[Path]:
    return sorted(folder.glob("locks/*.lock"))


def _lock_of(path: Path) -> Lock | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return path.name, found.st_ino, found.st_mtime_ns


def _read(record: Path) -> Run | None:
    """A record; None where it is damaged, so that its locks count as of no record."""
    try:
        values = json.loads(record.read_text(encoding="utf-8"))
        locks = tuple((str(name), int(inode), int(time)) for name, inode, time in values["locks"])
        started = values["started"]
        return Run(
            host=str(values["host"]),
            pid=int(values["pid"]),
            started=None if started is None else int(started),
            locks=locks,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _whose(path: Path, owners: dict[Lock, Run]) -> str:
    lock = _lock_of(path)
    run = owners.get(lock) if lock else None
    if run is None:
        return f"{path} is held by a run that left no record. {UNLOCK}"
    if run.host != host_of_this_process():
        return f"{path} is held by process {run.pid} on {run.host}. {UNLOCK}"
    return f"{path} is held by process {run.pid} on this machine, which is running. Wait for it."
