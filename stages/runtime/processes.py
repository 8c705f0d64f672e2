"""Several processes that train one network, started by torchrun; alone, nothing changes.

Each process takes its own slice of the images of every step, and gradients are averaged, weighted
by the objects that each has seen. Loss terms that are means over objects (PSM's, and the positive
one of PRM) thus equal those of a single process to rounding. The negative term of PRM has its
beta and its norm per process, as in the authors' code. Only process 0 writes files.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import nn

from stages.runtime.program import say

COUNTS = ("images", "objects", "negatives", "pasted")  # of a step: they add up; others are means
NUMBERS = 32  # of a step, at most
PATIENCE = timedelta(days=7)  # torchrun ends us when another process dies, so no shorter limit

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Team:
    """One of the `size` processes of a training."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> list[Item]:
        """The slice of this process; may be empty."""
        return list(items[self.rank :: self.size])

    def wait(self) -> None:
        """Return when all processes are here."""
        if self.size > 1:
            dist.all_reduce(torch.zeros(1))

    @contextmanager
    def leader_first(self) -> Iterator[None]:
        """A block that process 0 has left before the others enter it."""
        if not self.leads:
            self.wait()
        yield
        if self.leads:
            self.wait()

    def average(self, weights: Iterable[nn.Parameter], share: float) -> None:
        """Replace the gradients by those of all processes, each weighted by its `share`."""
        if self.size == 1:
            return
        mine = [w for w in weights if w.requires_grad]
        parts = [torch.zeros_like(w) if w.grad is None else w.grad for w in mine]
        flat = torch.cat(
            [share * part.flatten() for part in parts] + [parts[0].new_tensor([share])]
        )
        dist.all_reduce(flat)
        mean = flat[:-1] / flat[-1].clamp(min=1e-12)
        for weight, part in zip(mine, torch.split(mean, [w.numel() for w in mine]), strict=True):
            weight.grad = part.view_as(weight)

    def together(self, numbers: dict[str, float]) -> dict[str, float]:
        """The numbers of a step over all processes; whole for process 0, which has images."""
        if self.size == 1:
            return numbers
        weight = weight_of(numbers)
        row = torch.zeros(NUMBERS, dtype=torch.float64)
        for place, (name, value) in enumerate(numbers.items()):
            row[place] = value if name in COUNTS else value * weight
        row[-1] = weight
        dist.all_reduce(row)
        total = max(row[-1].item(), 1.0)
        sums = zip(numbers, row.tolist(), strict=False)
        return {k: int(v) if k in COUNTS else v / total for k, v in sums}


def weight_of(numbers: Mapping[str, float]) -> float:
    """What a step counts of one process: its objects, or its images where no objects are told."""
    return numbers.get("objects", numbers.get("images", 0))


ALONE = Team()


@contextmanager
def joined(processes: int, device: str) -> Iterator[Team]:
    """The team that torchrun has started this process in, or `ALONE`.

    Parameters
    ----------
    processes : `training.processes` of the config. device : "cpu", "cuda" or "auto".

    Raises
    ------
    ValueError : torchrun was told of another number, or there are fewer GPUs than processes.
    """
    size = int(os.environ.get("WORLD_SIZE", 0))
    if not size:
        if processes > 1:
            say("training", f"processes is {processes}, but torchrun did not start this: one.")
        yield ALONE
        return
    if size != processes:
        raise ValueError(f"training.processes is {processes}, but torchrun started {size}.")
    dist.init_process_group(_backend(device), timeout=PATIENCE)
    try:
        yield Team(dist.get_rank(), size)
    finally:
        dist.destroy_process_group()


def _backend(device: str) -> str:
    """Gloo for tensors on the CPU, NCCL for those on GPUs, of which each process needs its own."""
    count = 0 if device == "cpu" else torch.cuda.device_count()
    here = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    if 0 < count < here:
        raise ValueError(
            f"training.processes: {here} processes here, but {count} GPUs. Lower it, or set "
            f"device: cpu."
        )
    return "cpu:gloo,cuda:nccl" if count else "gloo"
