"""Which device a job computes on; a GPU is leased, so that it belongs to one job at a time."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stages.runtime.lease import lease

if TYPE_CHECKING:
    import torch

Device = Callable[[], "torch.device"]  # asked when a network is loaded, and not before


@contextmanager
def leased(device: str, folder: Path | None = None) -> Iterator["torch.device"]:
    """Yield the device to compute on, held until the block ends.

    Parameters
    ----------
    device : "cpu", "cuda", or "auto" (cuda where there is one).
    folder : of the lock files; default: one per user below the system's temporary folder.

    Raises
    ------
    ValueError : "cuda" without a GPU, at once.
    """
    import torch  # two seconds, which a job without a network need not wait

    count = torch.cuda.device_count()
    if device == "cuda" and not count:
        raise ValueError("device: cuda is set, but PyTorch sees no GPU. Set device: cpu or auto.")
    if device == "cpu" or not count:
        yield torch.device("cpu")
        return
    uuids = [uuid_of(number) for number in range(count)]
    with lease(uuids, folder or _lock_folder()) as number:
        yield torch.device("cuda", number)


def uuid_of(number: int) -> str:
    """The name of a card that is its own on this machine: its UUID, else its place on the PCI bus.

    Parameters
    ----------
    number : of the card among those that this process sees.
    """
    import torch

    card = torch.cuda.get_device_properties(number)
    if hasattr(card, "uuid"):
        return f"gpu-{card.uuid}"
    place = [getattr(card, f"pci_{part}_id", 0) for part in ("domain", "bus", "device")]
    return "pci-{:04x}:{:02x}:{:02x}".format(*place)


def _lock_folder() -> Path:
    return Path(tempfile.gettempdir()) / f"maskmill-gpu-{os.getuid()}"
