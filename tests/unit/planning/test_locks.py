"""Locks of dead processes of this machine go; others stay, and a sentence says whose they are."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from snakemake.persistence.file import FilePersistence

from stages.planning import locks
from stages.planning.locks import forget_dead_runs, locks_of, remember_run, start_of


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    """Another process, which lives until it is killed."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as living:
        yield living
        living.kill()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End a process that nobody has waited for yet."""
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


def _locked(folder: Path, name: str = "0.output.lock") -> Path:
    lock = folder / "locks" / name
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text("results/tiny/prepare/images.parquet\n")
    return lock


def _records(folder: Path) -> list[Path]:
    return list((folder / "maskmill").glob("*.json"))


def _rewrite(folder: Path, **values: Any) -> None:
    (record,) = _records(folder)
    record.write_text(json.dumps(json.loads(record.read_text()) | values))


def test_a_fresh_folder_has_nothing_to_forget(tmp_path: Path) -> None:
    assert forget_dead_runs(tmp_path / ".snakemake") == []
    assert not list(tmp_path.iterdir())


def test_a_run_without_locks_leaves_no_record(tmp_path: Path) -> None:
    remember_run(tmp_path, [tmp_path / "locks" / "0.output.lock"])
    assert not list(tmp_path.iterdir())


def test_the_locks_of_a_dead_process_go_with_its_record(
    tmp_path: Path, process: "subprocess.Popen[bytes]"
) -> None:
    names = ("0.input.lock", "0.output.lock")
    remember_run(tmp_path, [_locked(tmp_path, name) for name in names], process.pid)
    _kill(process)
    assert forget_dead_runs(tmp_path) == []  # dead, though nobody has waited for it yet
    assert not list((tmp_path / "locks").iterdir())
    assert not _records(tmp_path)


def test_the_lock_of_a_living_process_stays(
    tmp_path: Path, process: "subprocess.Popen[bytes]"
) -> None:
    lock = _locked(tmp_path)
    remember_run(tmp_path, [lock], process.pid)
    for _ in range(2):
        (sentence,) = forget_dead_runs(tmp_path)
        assert sentence == (
            f"{lock} is held by process {process.pid} on this machine, which is running. "
            "Wait for it."
        )
        assert lock.exists()


def test_the_lock_of_another_machine_stays(
    tmp_path: Path, process: "subprocess.Popen[bytes]"
) -> None:
    lock = _locked(tmp_path)
    remember_run(tmp_path, [lock], process.pid)
    _kill(process)
    _rewrite(tmp_path, host="node07")
    (sentence,) = forget_dead_runs(tmp_path)
    assert sentence == (
        f"{lock} is held by process {process.pid} on node07. "
        "If that run is dead, type: snakemake --unlock"
    )
    assert lock.exists()
    assert _records(tmp_path)


def test_the_lock_of_no_record_stays(tmp_path: Path) -> None:
    lock = _locked(tmp_path)
    (sentence,) = forget_dead_runs(tmp_path)
    assert sentence == (
        f"{lock} is held by a run that left no record. "
        "If that run is dead, type: snakemake --unlock"
    )
    assert lock.exists()


FAULTS = {
    "no JSON": "{",
    "not an object": "3",
    "no key": '{"host": "a"}',
    "a lock without a time": '{"host": "a", "pid": 1, "started": 1, "locks": [["0.output.lock"]]}',
    "no text": b"\xff\xfe",
}


@pytest.mark.parametrize("text", FAULTS.values(), ids=list(FAULTS))
def test_a_damaged_record_removes_no_lock(text: str | bytes, tmp_path: Path) -> None:
    lock = _locked(tmp_path)
    record = tmp_path / "maskmill" / "a-1.json"
    record.parent.mkdir()
    record.write_bytes(text if isinstance(text, bytes) else text.encode())
    (sentence,) = forget_dead_runs(tmp_path)
    assert "no record" in sentence
    assert lock.exists()


def test_a_reused_pid_is_told_apart(tmp_path: Path) -> None:
    lock = _locked(tmp_path)
    remember_run(tmp_path, [lock])
    started = start_of(os.getpid())
    assert started
    _rewrite(tmp_path, started=started - 1)
    assert forget_dead_runs(tmp_path) == []
    assert not lock.exists()


def test_a_lock_of_the_same_name_but_of_a_later_run_stays(
    tmp_path: Path, process: "subprocess.Popen[bytes]"
) -> None:
    lock = _locked(tmp_path)
    remember_run(tmp_path, [lock], process.pid)
    _kill(process)
    lock.unlink()
    later = _locked(tmp_path)
    os.utime(later, ns=(0, later.stat().st_mtime_ns + 1))
    assert "no record" in forget_dead_runs(tmp_path)[0]
    assert later.exists()
    assert not _records(tmp_path)


def test_only_the_locks_of_the_dead_go(tmp_path: Path, process: "subprocess.Popen[bytes]") -> None:
    mine, other = _locked(tmp_path, "1.output.lock"), _locked(tmp_path)
    remember_run(tmp_path, [mine])
    remember_run(tmp_path, [other], process.pid)
    _kill(process)
    assert f"process {os.getpid()}" in forget_dead_runs(tmp_path)[0]
    assert mine.exists()
    assert not other.exists()


def test_the_record_of_a_run_that_has_unlocked_goes(tmp_path: Path) -> None:
    lock = _locked(tmp_path)
    remember_run(tmp_path, [lock])
    lock.unlink()
    assert forget_dead_runs(tmp_path) == []
    assert not _records(tmp_path)


def test_where_the_system_tells_no_start_no_process_counts_as_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, process: "subprocess.Popen[bytes]"
) -> None:
    lock = _locked(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(locks, "start_of", lambda pid: None)
        remember_run(tmp_path, [lock], process.pid)
    _kill(process)
    assert forget_dead_runs(tmp_path)
    assert lock.exists()


def test_a_process_that_proc_hides_is_unknown_and_one_that_is_gone_has_ended(
    monkeypatch: pytest.MonkeyPatch, process: "subprocess.Popen[bytes]"
) -> None:
    assert start_of(process.pid)
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: (_ for _ in ()).throw(OSError))
    assert start_of(process.pid) is None
    _kill(process)
    process.wait()
    assert start_of(process.pid) == 0


def test_the_locks_of_a_run_are_those_that_snakemake_has_written(tmp_path: Path) -> None:
    persistence = FilePersistence(path=tmp_path / ".snakemake")
    assert locks_of(persistence) == []
    _locked(tmp_path / ".snakemake")
    persistence._write_locks("output", ["results/a"])
    assert locks_of(persistence) == [tmp_path / ".snakemake" / "locks" / "1.output.lock"]
    assert locks_of(object()) == []  # a backend without lock files
