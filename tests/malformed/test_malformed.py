"""Every file of a run, spoilt in every way: refused in one sentence, and nothing is lost."""

import re
from pathlib import Path

import pytest

from tests.malformed.attempt import attempt
from tests.malformed.cases import CASES, OTHER_SHARD, Case
from tests.malformed.finished import Finished
from tests.malformed.left import contents
from tests.malformed.sentences import assert_one_sentence
from tests.malformed.spoiling import Spoil, spoilt

pytestmark = pytest.mark.long


def _how(case: Case, path: Path, other: Finished) -> Spoil:
    if case.how is not None:
        return case.how
    number = "0000" if "0001-of" in path.name else "0001"
    shard = path.with_name(re.sub(r"\d{4}-of", f"{number}-of", path.name))
    source = shard if case.spoil == OTHER_SHARD else other.folder / path
    return lambda place: place.write_bytes(source.read_bytes())


BY_OTHER_NAMES = ("image 2: ", "image 4: ", "predictions: ", "x" * 99)  # told by what is in it


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_spoilt_file_is_refused(
    case: Case, run: Finished, other: Finished, kept: dict[Path, bytes]
) -> None:
    job = run.jobs[case.program]
    path = job.paths(case.flag)[-1] if case.flag.startswith("--") else Path(case.flag)
    with spoilt(path, _how(case, path, other)):
        outcome = attempt(job.program, job.words)
    names = (str(path), path.name, str(path.parent), "table images", *BY_OTHER_NAMES)
    assert_one_sentence(outcome, job.program, *names)
    assert contents(run.folder) == kept, "an output has changed, or something was left"


@pytest.mark.parametrize("program", ["grade", "export", "evaluate"])
def test_what_is_spoilt_was_sound(program: str, run: Finished) -> None:
    outcome = attempt(program, run.jobs[program].words)
    assert outcome.code == 0, outcome.text
