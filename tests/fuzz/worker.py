"""The process that the fuzzer's tries run in, since one of them may take it down.

    python -m tests.fuzz.worker FOLDER SEED SECONDS coco:spoiled yolo:built ...

A try may take LIMIT_S of processor time and MORE_MEMORY; what takes more is a finding. Each job has
so many seconds and prints a line of JSON: how many files it tried, and what it found. FOLDER holds
the files of the try that is running, and `case.txt`, the same as Python.
"""

import faulthandler
import json
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.cases import Case, draw_photographs, write
from tests.fuzz.gate import BrokenPromise, try_labels
from tests.fuzz.samples import SAMPLES
from tests.fuzz.spoiling import spoiled

LIMIT_S = 5  # of processor time
DEAF_S = 60  # after which a try that no signal reaches ends the process
MORE_MEMORY = 1 << 30  # bytes, beyond what the process has before it begins
GROWN = 400 << 20  # bytes that a file of few KiB may take at most
ROUND = 25  # files that hypothesis builds at a time
ROUNDS = 1_000_000  # at most, from one seed to the next


class TooLong(BaseException):
    """A try took more than LIMIT_S; no reader can catch it."""


class Fuzzer:
    """Tries cases of one format, and keeps one finding of each place in the code."""

    def __init__(self, name: str, folder: Path):
        self.name, self.folder = name, folder
        self.base = folder / "base"
        self.images = draw_photographs(self.base)
        self.counts = Counter[str]()
        self.findings: dict[str, str] = {}

    def attempt(self, case: Case) -> str:
        """Try one case; where it is a finding, the place in the code that it is found at."""
        (self.folder / "case.txt").write_text(shown(case))
        source = write(case, self.base)
        _forget_peak()
        before = _peak()
        self.counts["files"] += 1
        try:
            with _limited(), redirect_stderr(StringIO()):
                self.counts["labels" if self._has_labels(source) else "refused"] += 1
            if _peak() - before > GROWN:
                raise MemoryError(f"it took {(_peak() - before) >> 20} MiB")
        except (Exception, TooLong) as error:
            place = _place(error)
            told = "".join(traceback.format_exception(error))[-6000:]
            self._keep(place, f"{told}\n{shown(case)}")
            return place
        return ""

    def _keep(self, place: str, told: str) -> None:
        """The shortest of each place."""
        if len(told) < len(self.findings.get(place, told + ".")):
            self.findings[place] = told

    def _has_labels(self, source: Path) -> bool:
        return try_labels(self.name, source, self.images)


def shown(case: Case) -> str:
    """A case as Python, cut where it is very long."""
    files = {
        name: data if len(data) < 20_000 else data[:20_000] for name, data in case.files.items()
    }
    return f"Case({case.source!r}, {files!r}, {case.folders!r}, {case.links!r})"


def _place(error: BaseException) -> str:
    """The kind of an error and the line of the program, or of the gate, that it comes from."""
    cause = error.__cause__ or error
    frames = traceback.extract_tb(cause.__traceback__) or traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/stages/" in frame.filename] or frames
    last = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    said = str(error)[:40] if isinstance(error, BrokenPromise) and cause is error else ""
    return f"{type(cause).__name__} {last} {said}"


def _peak() -> int:
    """Bytes in memory, the most since `_forget_peak`: what getrusage tells is of the whole life."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


@contextmanager
def _limited() -> Iterator[None]:
    """Raise TooLong after LIMIT_S of processor time within; end the process where it is deaf."""
    signal.signal(signal.SIGPROF, _stop)
    faulthandler.dump_traceback_later(DEAF_S, exit=True)
    signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()


def _stop(number: int, frame: Any) -> None:
    raise TooLong(f"more than {LIMIT_S} s")


def rng_of(name: str, seed: int, number: int) -> Random:
    """What one spoiled file of a format is drawn from."""
    return Random(f"{seed} {name} {number}")


def spoil(fuzzer: Fuzzer, seed: int, until: Callable[[], bool]) -> None:
    """Sound files, spoiled by chance."""
    cases = SAMPLES[fuzzer.name]()
    for number in count():
        if until():
            return
        rng = rng_of(fuzzer.name, seed, number)
        fuzzer.attempt(spoiled(rng.choice(cases), rng))


def build(fuzzer: Fuzzer, seed: int, until: Callable[[], bool]) -> None:
    """Files built of odd parts by hypothesis, which also makes a finding small."""
    from tests.fuzz.building import built  # here, since hypothesis is for this alone

    known = set[str]()
    for number in count(seed * ROUNDS):
        if until():
            return
        built(fuzzer.name, fuzzer.attempt, known, number=number, files=ROUND)


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MORE_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def main(argv: list[str]) -> None:
    """Run the jobs one after the other."""
    folder, seed, seconds = Path(argv[0]), int(argv[1]), float(argv[2])
    for number, job in enumerate(argv[3:]):
        name, way = job.split(":")
        fuzzer = Fuzzer(name, folder)
        if not number:
            for case in SAMPLES[name]():
                fuzzer.attempt(case)  # what is loaded late is loaded now
            _limit_memory()
        end = time.monotonic() + seconds
        {"spoiled": spoil, "built": build}[way](
            fuzzer, seed, lambda end=end: time.monotonic() > end
        )
        said = {"job": job, "counts": fuzzer.counts, "findings": fuzzer.findings}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
