"""How a job is killed: laid into a workspace as sitecustomize.py, which Python reads at its start.

KILLS names a folder. A job first counts, in an undisturbed run, how often it touches files, how
many lines it writes to its log and how long it takes (`<job>.count`); where its count is known, it
draws a moment among these, and there ends itself, or all of its run, by a signal. Each kill is a
file of the folder (`<job>.<n>.kill`), so that a job is killed no more than KILLS_EACH times, and
all jobs no more than KILLS_MOST.
Standard library alone.
"""

import atexit
import fcntl
import hashlib
import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

TOUCHING = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink")
WRITING = os.O_WRONLY | os.O_RDWR


def stage() -> str | None:
    """The program of ours that this process runs, if it is one."""
    words = [word for word in sys.orig_argv if word.startswith("stages.")]
    return words[0].removeprefix("stages.") if sys.argv[:1] == ["-m"] and words else None


class Assassin:
    """Counts what a job does, and strikes at its moment."""

    def __init__(self, name: str, folder: Path) -> None:
        self.stage, self.folder, self.busy = name, folder, False
        self.job = hashlib.sha256("\0".join(sys.orig_argv[1:]).encode()).hexdigest()[:16]
        self.seen = {"files": 0, "lines": 0}
        self.began = time.monotonic()
        self.plan = self._plan()

    def watch(self) -> None:
        """From now on every touch of a file and every line is seen."""
        sys.addaudithook(self._hear)
        write = sys.stderr.write

        def heard(text: str) -> int:
            done = write(text)
            for _ in range(text.count("\n")):
                self._see("lines")
            return done

        sys.stderr.write = heard  # type: ignore[method-assign]
        if self.plan is None:
            atexit.register(self._note)
        elif self.plan.way == "seconds":
            threading.Thread(target=self._wait, daemon=True).start()

    def _plan(self) -> SimpleNamespace | None:
        """What is to happen; None where this job only counts, or has been killed enough."""
        count = self.folder / f"{self.job}.count"
        number = len(list(self.folder.glob(f"{self.job}.*.kill")))
        if not count.exists() or number >= int(os.environ["KILLS_EACH"]):
            return None
        rng = random.Random(f"{os.environ['KILLS_SEED']} {self.job} {number}")
        counted = json.loads(count.read_text())
        way = rng.choice([way for way in ("files", "lines", "seconds") if counted[way]])
        last = counted[way]
        name, who = rng.choice(json.loads(os.environ["KILLS_BY"]))
        return SimpleNamespace(
            number=number,
            way=way,
            at=rng.uniform(0, last) if way == "seconds" else rng.randint(1, last),
            signal=name,
            who=who,
        )

    def _hear(self, event: str, words: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(words[2], int) and words[2] & WRITING
        if event in TOUCHING or writes:
            self._see("files")

    def _see(self, way: str) -> None:
        if self.busy:
            return
        self.seen[way] += 1
        if self.plan is not None and (self.plan.way, self.plan.at) == (way, self.seen[way]):
            self._strike()

    def _wait(self) -> None:
        if self.plan is not None:
            time.sleep(max(0.0, self.plan.at - time.monotonic() + self.began))
            self._strike()

    def _strike(self) -> None:
        assert self.plan is not None
        self.busy = True
        if not self._may():
            return
        number = signal.Signals[self.plan.signal]
        if self.plan.who == "run":
            os.killpg(os.getpgid(0), number)
        else:
            os.kill(os.getppid() if self.plan.who == "snakemake" else os.getpid(), number)
        if self.plan.who != "snakemake":
            time.sleep(60)  # until the signal has come

    def _may(self) -> bool:
        """Whether this kill is still one of KILLS_MOST; if so, its file is written.

        Jobs run side by side, and each drew its moment when it began: under the lock only one of
        them takes the last kill.
        """
        assert self.plan is not None
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if len(list(self.folder.glob("*.kill"))) >= int(os.environ["KILLS_MOST"]):
                return False
            told = {"stage": self.stage, **vars(self.plan)}
            path = self.folder / f"{self.job}.{self.plan.number}.kill"
            path.with_suffix(".tmp").write_text(json.dumps(told))
            path.with_suffix(".tmp").replace(path)  # another's signal may end this job here
            return True

    def _note(self) -> None:
        self.busy = True
        path = self.folder / f"{self.job}.count"
        if not path.exists():
            seconds = time.monotonic() - self.began
            path.write_text(json.dumps({**self.seen, "seconds": seconds}))


if os.environ.get("KILLS"):
    found = stage()
    if found is not None:
        Assassin(found, Path(os.environ["KILLS"])).watch()
