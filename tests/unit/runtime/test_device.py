"""One GPU belongs to one job, and comes back even from a job that was killed."""

import threading
from pathlib import Path

import pytest
import torch

from stages.runtime import device


def test_cpu_needs_no_lock(tmp_path: Path) -> None:
    with device.leased("cpu", tmp_path) as seen:
        assert seen == torch.device("cpu")
    assert not list(tmp_path.iterdir())


def test_auto_without_a_gpu_is_the_cpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with device.leased("auto", tmp_path) as seen:
        assert seen == torch.device("cpu")


def test_cuda_without_a_gpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ValueError, match="no GPU"), device.leased("cuda"):
        pass


def test_two_jobs_get_two_devices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with device.leased("cuda", tmp_path) as one, device.leased("auto", tmp_path) as two:
        assert {one.index, two.index} == {0, 1}


def test_a_third_job_waits_for_a_free_device(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(device, "WAIT", 0.01)
    told, got = threading.Event(), []
    monkeypatch.setattr(device, "say", lambda *_: told.set())

    def wait() -> None:
        with device.lease(1, tmp_path) as number:
            got.append(number)

    job = threading.Thread(target=wait)
    with device.lease(1, tmp_path):
        job.start()
        assert told.wait(5)
        assert not got
    job.join(5)
    assert got == [0]


def test_a_device_comes_back_after_an_error(tmp_path: Path) -> None:
    def fail() -> None:
        with device.lease(1, tmp_path):
            raise RuntimeError("job failed")

    with pytest.raises(RuntimeError, match="job failed"):
        fail()
    with device.lease(1, tmp_path) as number:
        assert number == 0
