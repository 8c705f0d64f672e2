"""The machine: cores, memory, cards. PyTorch is opened, and need not be there."""

import os
import subprocess
from collections.abc import Iterator

from stages.checkup.finding import Finding
from stages.runtime.doors import opened

LEAST_MEMORY = 4  # GiB; a job of the demo takes about one
SMI = ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
UNOPENED = (ImportError, OSError, RuntimeError, AttributeError)


def machine_found(device: str, threads: int) -> Iterator[Finding]:
    """A line for cores, memory, and cards.

    Parameters
    ----------
    device : of the config: cpu, cuda or auto. threads : per job.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("ok", "CPU", f"{cores} cores, {threads} thread(s) a job")
    yield memory_found(_memory())
    yield cards_found(device, listed_cards(), seen_cards())


def memory_found(gigabytes: float | None) -> Finding:
    """Whether the main memory, GiB, will do."""
    if gigabytes is None:
        return Finding("ok", "memory", "this system does not tell")
    if gigabytes < LEAST_MEMORY:
        remedy = "snakemake --cores 1"
        return Finding("wrong", "memory", f"{gigabytes:.1f} GiB are tight for two jobs", remedy)
    return Finding("ok", "memory", f"{gigabytes:.1f} GiB")


def cards_found(device: str, listed: list[str], seen: list[str] | None) -> Finding:
    """Whether the device of the config is there.

    Parameters
    ----------
    listed : cards that the driver has. seen : that PyTorch sees; None: PyTorch cannot be opened.
    """
    if seen:
        return Finding("ok", "GPU", ", ".join(seen))
    text = "PyTorch cannot be opened" if seen is None else "PyTorch sees none"
    if listed:
        text = f"{text}, but the driver has {', '.join(listed)}"
    if device == "cuda":
        return Finding("missing", "GPU", f"device is cuda, and {text}", "--config device=auto")
    if listed and device == "auto" and seen is not None:
        remedy = "pip install torch torchvision, as https://pytorch.org/get-started/locally says"
        return Finding("absent", "GPU", f"{text}; jobs run on the CPU", remedy)
    return Finding("ok", "GPU", f"{text}; device is {device}")


def listed_cards() -> list[str]:
    """Name and memory of each card, by the driver's own tool; none where it is not there."""
    try:
        done = subprocess.run(SMI, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return []
    return [] if done.returncode else [line.strip() for line in done.stdout.splitlines()]


def seen_cards() -> list[str] | None:
    """Name and memory of each card that PyTorch sees; None where it cannot be opened."""
    try:
        cuda = opened("torch").cuda
        cards = [cuda.get_device_properties(number) for number in range(cuda.device_count())]
    except UNOPENED:
        return None
    return [f"{card.name}, {card.total_memory / 2**30:.0f} GiB" for card in cards]


def _memory() -> float | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError, AttributeError):
        return None
