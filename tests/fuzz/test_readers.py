"""Odd files for every reader and for the gate behind it: labels may come of them, or a sentence.

FUZZ_SECONDS is the time for all formats together, FUZZ_SEED what the files are drawn from: the same
seed gives the same files in the same order, as many as the time allows. What is found is told as
Python, to become a test of its reader.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stages.formats.format import FORMATS
from stages.runtime.doors import opened
from stages.runtime.faults import Faults
from tests.fuzz import worker
from tests.fuzz.cases import Case, draw_photographs, write
from tests.fuzz.samples import SAMPLES
from tests.fuzz.spoiling import spoiled
from tests.fuzz.worker import rng_of

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
SECONDS = float(os.environ.get("FUZZ_SECONDS", "60"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
JOBS = [f"{name}:{way}" for name in FORMATS for way in ("spoiled", "built")]
SLOWEST = 120  # s that a process may take beyond the time of its jobs


def run(jobs: list[str], folder: Path, seconds: float) -> tuple[list[dict[str, Any]], str]:
    """What the jobs say that are done, and why the process ended before the next, if it did."""
    folder.mkdir()
    command = [sys.executable, "-m", "tests.fuzz.worker", str(folder), str(SEED), str(seconds)]
    limit = len(jobs) * seconds + SLOWEST
    with (folder / "out.txt").open("w") as out, (folder / "err.txt").open("w") as err:
        try:
            code = subprocess.run(
                [*command, *jobs], cwd=ROOT, stdout=out, stderr=err, timeout=limit
            ).returncode
        except subprocess.TimeoutExpired:
            code = -1
    done = [json.loads(line) for line in (folder / "out.txt").read_text().splitlines()]
    if not code:
        return done, ""
    case = (folder / "case.txt").read_text() if (folder / "case.txt").exists() else "no case"
    return done, f"exit {code}\n{(folder / 'err.txt').read_text()[-4000:]}\n{case}"


def test_odd_files_are_read_or_refused_in_words(tmp_path: Path) -> None:
    left, reports, findings = list(JOBS), dict[str, Counter[str]](), list[str]()
    while left:
        done, died = run(left, tmp_path / str(len(left)), SECONDS / len(JOBS))
        for report in done:
            reports[report["job"]] = Counter(report["counts"])
            findings += [f"{report['job']}: {told}" for told in report["findings"].values()]
        left = left[len(done) :]
        if died:
            findings.append(f"{left.pop(0)}: the process died: {died}")
    for job, counts in reports.items():
        print(f"{job:24}", *(f"{counts[key]} {key}," for key in ("files", "labels", "refused")))
    told = "\n\n".join(findings)
    assert not findings, f"{len(findings)} findings of seed {SEED}\n\n{told}"
    for name in FORMATS:
        counts = sum((reports[job] for job in JOBS if job.startswith(f"{name}:")), Counter[str]())
        assert counts["labels"], f"no file of {name} had labels"
        assert counts["refused"], f"no file of {name} was refused"


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_spoiled_was_sound(name: str, tmp_path: Path) -> None:
    images = draw_photographs(tmp_path)
    for case in SAMPLES[name]():
        source = write(case, tmp_path)
        faults = Faults(source)
        assert opened(FORMATS[name].module).read(source, images, faults).labels
        faults.check()


@pytest.mark.parametrize("name", FORMATS)
def test_a_seed_gives_the_same_files(name: str) -> None:
    def drawn(seed: int) -> list[Case]:
        return [spoiled(SAMPLES[name]()[0], rng_of(name, seed, number)) for number in range(20)]

    assert drawn(1) == drawn(1) != drawn(2)


def _raise(error: Exception) -> Any:
    def read(*_: Any) -> None:
        raise error

    return read


def _fill(*_: Any) -> None:
    bytearray(b"x") * (worker.GROWN + (50 << 20))


def _loop(*_: Any) -> None:
    while True:
        pass


BROKEN = {
    "TypeError": _raise(TypeError("no sentence")),
    "RecursionError": _raise(RecursionError()),
    "ValueError": _raise(ValueError("a.json: invalid literal for int()")),
    "MemoryError": _fill,
    "TooLong": _loop,
}


@pytest.mark.parametrize(("error", "read"), BROKEN.items(), ids=BROKEN.keys())
def test_what_is_no_sentence_is_a_finding(
    error: str, read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = SAMPLES["coco"]()[0]
    fuzzer = worker.Fuzzer("coco", tmp_path)
    assert fuzzer.attempt(case) == ""
    monkeypatch.setattr(worker, "LIMIT_S", 0.5 if error == "TooLong" else 60)
    monkeypatch.setattr(opened(FORMATS["coco"].module), "read", read)
    assert fuzzer.attempt(case).startswith(error)
    (told,) = fuzzer.findings.values()
    assert "Case('labels.json', {'labels.json': b'" in told


def test_what_took_more_before_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fuzzer = worker.Fuzzer("coco", tmp_path)
    bytearray(b"x") * (3 * worker.GROWN)
    monkeypatch.setattr(opened(FORMATS["coco"].module), "read", _fill)
    assert fuzzer.attempt(SAMPLES["coco"]()[0]).startswith("MemoryError")


def test_a_sentence_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fuzzer = worker.Fuzzer("coco", tmp_path)
    said = ValueError("a.json: it cannot be read (invalid literal). Correct it.")
    monkeypatch.setattr(opened(FORMATS["coco"].module), "read", _raise(said))
    assert fuzzer.attempt(SAMPLES["coco"]()[0]) == ""
    assert dict(fuzzer.counts) == {"files": 1, "refused": 1}
