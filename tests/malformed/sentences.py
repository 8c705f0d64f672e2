"""What a refusal has to be: exit code 2, and words that name the place and say what to do."""

import re

from tests.malformed.attempt import OURS, WAITED, Outcome

REMEDY = re.compile(
    r"\b([Rr]emove|[Cc]orrect|[Gg]ive|[Rr]un|[Rr]erun|[Rr]eplace|[Ss]et|[Nn]ame|[Ww]rite|[Ss]ave|"
    r"[Rr]ename|[Nn]umber|[Ll]abel|[Tt]ake|[Aa]llow|[Ff]ree|must differ|is unknown|unknown)\b"
)


def assert_one_sentence(outcome: Outcome, program: str, *names: str) -> None:
    """It is refused in words that name one of the places, and say what to do."""
    assert outcome.code != WAITED, f"it waits: {outcome.text[-500:]}"
    assert outcome.code != OURS, outcome.text[-3000:]
    assert outcome.code == 2, f"exit {outcome.code}: {outcome.text[-500:]}"
    assert "Traceback" not in outcome.text
    said = [line for line in outcome.text.splitlines() if line.strip()]
    told = " ".join(said)
    assert f"{program}: " in told
    assert any(name in told for name in names), told[-700:]
    assert REMEDY.search(told), told[-700:]
