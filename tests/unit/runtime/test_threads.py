"""Threads are bounded in what is loaded, and in what will be."""

import os
import subprocess
import sys

CHECK = """
import os, sys
os.environ.pop("OMP_NUM_THREADS", None)
from stages.runtime.threads import use_threads
{early}
use_threads(1)
import cv2, torch
print(torch.get_num_threads(), cv2.getNumThreads(), os.environ["RAYON_NUM_THREADS"])
"""


def told(early: str) -> str:
    found = subprocess.run(
        [sys.executable, "-c", CHECK.format(early=early)],
        check=True, capture_output=True, text=True, timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    )  # fmt: skip
    return found.stdout.strip()


def test_libraries_that_are_there_are_told() -> None:
    assert told("import cv2, torch") == "1 1 1"


def test_libraries_that_come_later_find_it() -> None:
    assert told("") == "1 1 1"
