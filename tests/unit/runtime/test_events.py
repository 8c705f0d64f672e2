"""TensorBoard's event files: what the log says, no step twice, and nothing where it is missing."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from stages.runtime.events import FILES, Events

LOG = [json.dumps({"step": step, "loss": 1 / step, "lr": 0.5}) for step in (1, 2, 3)]


def written(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Steps and values by name, as TensorBoard reads them."""
    module: Any = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    reader = module.EventAccumulator(str(folder), size_guidance={"scalars": 0})
    reader.Reload()
    names = reader.Tags()["scalars"]
    return {name: [(one.step, one.value) for one in reader.Scalars(name)] for name in names}


def trained(folder: Path, log: list[str], first: int, last: int) -> None:
    """The events of a training that goes on after `log` and takes steps `first` to `last`."""
    events = Events(folder, log)
    for step in range(first, last + 1):
        events.add({"step": step, "loss": 1 / step, "lr": 0.5})
    events.close()


def test_without_a_folder_nothing_is_written() -> None:
    events = Events(None, LOG)
    events.add({"step": 4, "loss": 1.0})
    events.close()


def test_without_tensorboard_nothing_is_written_and_nothing_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    trained(tmp_path / "new", LOG, 4, 5)
    assert not (tmp_path / "new").exists()
    (tmp_path / "events.out.tfevents.7.host").touch()  # of another training
    trained(tmp_path, LOG, 4, 5)
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr() == ("", "")


def test_each_number_of_the_log_is_a_curve(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    trained(tmp_path / "new", [], 1, 3)
    found = written(tmp_path / "new")
    assert set(found) == {"loss", "lr"}
    assert [step for step, _ in found["loss"]] == [1, 2, 3]
    assert [value for _, value in found["loss"]] == pytest.approx([1, 1 / 2, 1 / 3])


@pytest.mark.parametrize(("kept", "wanted"), [(0, 4), (2, 4)], ids=["afresh", "goes on"])
def test_a_training_that_was_killed_leaves_no_step_twice(
    tmp_path: Path, kept: int, wanted: int
) -> None:
    pytest.importorskip("tensorboard")
    trained(tmp_path, [], 1, 3)
    trained(tmp_path, LOG[:kept], kept + 1, wanted)
    assert [step for step, _ in written(tmp_path)["loss"]] == list(range(1, wanted + 1))
    assert len(list(tmp_path.glob(FILES))) == 1
