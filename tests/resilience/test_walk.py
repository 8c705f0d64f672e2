"""Whatever was swapped, copied, cut, mixed or mended: the right bytes, or a sentence that helps."""

from pathlib import Path

import pytest

from tests.resilience.walk import STEPS, begun
from tests.workflow.workspace import Workspace


@pytest.mark.long
def test_a_random_walk_ends_each_step_with_the_bytes_of_a_clean_run(
    finished: Workspace, tmp_path: Path
) -> None:
    walk = begun(finished, tmp_path, seed=0)
    walk.settle()
    for step in walk.rng.sample(STEPS, len(STEPS)):
        step(walk)
        walk.settle()
