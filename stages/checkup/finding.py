"""What a check found, in one line: what is there, and what to type where it is not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from stages.runtime.program import Sentence

State = Literal["ok", "absent", "missing", "wrong"]
FAILING = ("missing", "wrong")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a checkup.

    Attributes
    ----------
    state : ok; absent: not there, and nothing that is asked for needs it; missing or wrong:
        something will fail.
    what : was looked at. seen : what was found. remedy : what to type; empty where all is well.
    """

    state: State
    what: str
    seen: str
    remedy: str = ""

    @property
    def fails(self) -> bool:
        """Whether a run would fail of it."""
        return self.state in FAILING


def line_of(finding: Finding) -> Sentence:
    """The line: "missing  torch: not installed. Type: pip install torch==2.14.1"."""
    remedy = f". Type: {finding.remedy}" if finding.remedy else ""
    return f"{finding.state:<8} {finding.what}: {finding.seen}{remedy}"


def closing(findings: Sequence[Finding]) -> Sentence:
    """The last line: how many things will fail."""
    count = sum(finding.fails for finding in findings)
    if not count:
        return "Nothing that was looked at will fail."
    return f"{count} of {len(findings)} checks will fail; above stands what to type."
