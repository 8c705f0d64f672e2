"""Arrow's memory comes from the system, where nobody has asked for another pool."""

import os
import subprocess
import sys

import pytest

from stages.runtime.arrow_memory import VARIABLE

SHOWN = "import stages, pyarrow; print(pyarrow.default_memory_pool().backend_name)"


@pytest.mark.parametrize(("asked", "wanted"), [(None, "system"), ("mimalloc", "mimalloc")])
def test_a_program_takes_the_pool_that_gives_back(asked: str | None, wanted: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    code = f"import sys; sys.argv = ['-m']; {SHOWN}"
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment | ({VARIABLE: asked} if asked else {}),
    )
    assert found.stdout.strip() == wanted
