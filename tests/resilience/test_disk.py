"""A disk that is full ends a run with a sentence; once there is room, the same command goes on."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.resilience.kills import contents
from tests.resilience.recipes import runs
from tests.workflow.workspace import Workspace, new_workspace

SIZES = (20, 80, 700, 1200)  # KiB: at the plan, and at the first, a middle and the last stage
ENOUGH = 64 * 1024
SAID = re.compile(r"no space left on device|disk quota exceeded|file too large|no room for its log")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace whose results lie on a disk of their own, which is too small."""
    workspace = new_workspace(tmp_path / "repo")
    workspace.configure(runs()["boxes"])
    folder = workspace.folder / "results"
    folder.mkdir()
    size = f"size={SIZES[0]}k"
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small disk can be mounted here ({error}): it takes root, and Linux")
    yield workspace
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _resize(folder: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}k", str(folder)], check=True)


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
def test_a_run_on_a_full_disk_ends_in_a_sentence_and_goes_on_when_there_is_room(
    small: Workspace, tmp_path: Path
) -> None:
    results = small.folder / "results"
    for size in SIZES:
        _resize(results, size)
        outcome = small.snakemake()
        assert outcome.code != 0, f"{size} KiB were enough"
        assert SAID.search(outcome.text), outcome.text
        assert "Traceback" not in outcome.text
        assert "a bug of ours" not in outcome.text
        left = [path for path in results.rglob("*.tmp") if "answers" not in path.parts]
        assert left == []
    _resize(results, ENOUGH)
    again = small.snakemake()
    assert again.code == 0, again.text
    seen = contents(small.folder)
    undisturbed = new_workspace(tmp_path / "undisturbed")
    undisturbed.configure(runs()["boxes"])
    assert undisturbed.snakemake().code == 0
    assert contents(undisturbed.folder) == seen
    shutil.rmtree(undisturbed.folder)


def test_a_limit_of_a_files_size_is_told_as_a_full_disk(tmp_path: Path) -> None:
    """EFBIG, as under `ulimit -f`; needs no root."""
    code = "; ".join(
        [
            "import resource, sys",
            "from pathlib import Path",
            "from stages.runtime.atomic import write_bytes",
            "from stages.runtime.program import run",
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))",
            "run('select', lambda _: write_bytes(Path(sys.argv[1]), bytes(5000)))",
        ]
    )
    (tmp_path / "out").write_bytes(b"former")
    words = ["python", "-c", code, str(tmp_path / "out")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2
    assert "file too large. Allow larger files there" in done.stderr
    assert done.stderr.count("\n") == 1
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"former"]
