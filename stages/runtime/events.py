"""TensorBoard's event files of a training: what its log says, step by step, while it runs.

They are for people: they hold clock times, lie among the logs, and nothing reads them. TensorBoard
is optional; where it is not installed, nothing is written and nothing is said.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FLUSH = 30  # s, at most, until what was written can be looked at
FILES = "events.out.tfevents.*"  # as TensorBoard names them


class Events:
    """The event file of one training.

    It says what the log says: a training that goes on writes the file anew, from the lines of its
    checkpoint, so that steps which a kill undid are gone and none is there twice.

    Parameters
    ----------
    folder : None: nothing is written. log : lines of JSON, one for each step before.
    """

    def __init__(self, folder: Path | None, log: Sequence[str] = ()):
        self.writer = None if folder is None else _opened(folder)
        for line in log if self.writer else ():
            self.add(json.loads(line))

    def add(self, entry: Mapping[str, float]) -> None:
        """Write an entry of the log: its numbers by name, at its "step"."""
        if self.writer is None:
            return
        from tensorboard.compat.proto.summary_pb2 import Summary

        numbers = {name: value for name, value in entry.items() if name != "step"}
        values = [Summary.Value(tag=name, simple_value=it) for name, it in numbers.items()]
        self.writer.add_summary(Summary(value=values), int(entry["step"]))

    def close(self) -> None:
        """Write what waits."""
        if self.writer is not None:
            self.writer.close()


def _opened(folder: Path) -> Any:
    """A writer into a folder, whose former event files go; None where TensorBoard is missing."""
    for former in folder.glob(FILES):
        former.unlink()
    try:
        from torch.utils.tensorboard import FileWriter
    except ImportError:
        return None
    return FileWriter(str(folder), flush_secs=FLUSH)
