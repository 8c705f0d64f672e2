"""Whatever was swapped, copied, cut, mixed or mended: the right bytes, or a sentence that helps."""

import os
from pathlib import Path

import pytest

from tests.resilience.walk import OF_INPUTS, OF_RESULTS, begun
from tests.workflow.workspace import Workspace

SEED = int(os.environ.get("WALK_SEED", "0"))
INPUTS = int(os.environ.get("WALK_INPUTS", "1"))  # most of these have tests in test_stale.py too


@pytest.mark.long
def test_a_random_walk_ends_each_step_with_the_bytes_of_a_clean_run(
    finished: Workspace, tmp_path: Path
) -> None:
    walk = begun(finished, tmp_path, SEED)
    walk.settle()
    steps = [*OF_RESULTS, *walk.rng.sample(OF_INPUTS, INPUTS)]
    for step in walk.rng.sample(steps, len(steps)):
        step(walk)
        walk.settle()
