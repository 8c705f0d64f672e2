"""Files of our own, spoilt by chance: what reads them gives what was written, or a sentence.

FUZZ_SECONDS and FUZZ_SEED as in `test_readers`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.own_files import own_files

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
SECONDS = float(os.environ.get("FUZZ_SECONDS", "60"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
SLOWEST = 120  # s beyond its time


def test_spoilt_files_of_ours_are_read_or_refused_in_words(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz.own_worker", str(tmp_path), str(SEED)]
    done = subprocess.run(
        [*command, str(SECONDS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS + SLOWEST,
        check=False,
    )
    case = tmp_path / "case.txt"
    seen = case.read_text() if case.exists() else "no case"
    assert done.returncode == 0, f"exit {done.returncode} at {seen}\n{done.stderr[-4000:]}"
    said = json.loads(done.stdout.splitlines()[-1])
    for name, count in sorted(said["counts"].items()):
        print(f"{name:32}{count:8}")
    print(f"{'in all':32}{sum(said['counts'].values()):8}")
    told = "\n\n".join(f"{place}: {found}" for place, found in said["findings"].items())
    assert not told, f"{len(said['findings'])} findings of seed {SEED}\n\n{told}"


def test_what_is_spoilt_was_sound_and_a_seed_gives_the_same_files(tmp_path: Path) -> None:
    for own in own_files(tmp_path):
        path = tmp_path / "sound"
        path.write_bytes(own.data)
        own.read(path)
        first, second, third = (own.spoilt(Random(seed)) for seed in ("1", "1", "2"))
        assert first == second
        assert own.data not in (first, third) or first != third
