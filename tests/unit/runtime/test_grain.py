"""Which edits of a file rerun what rests on it: those of what decides a result, and no others."""

from pathlib import Path

import pytest

from stages.runtime import code
from stages.runtime.code import code_of

PROGRAM = '''
from typing import TYPE_CHECKING
import typing

TABLE = {"psm": Method("stages.psm", fit="stages.fit")}
NUMBERS = {"psm": 1}

if TYPE_CHECKING:
    import numpy
else:
    numpy = None
if typing.TYPE_CHECKING:
    import scipy


def main(parser, items):
    parser.add_argument("--seed", type=int, default=0, help="of the run")
    progress = Progress("first", len(items), every=64)
    try:
        say("first", f"{len(items)} items")
        program.say("first", "begun")
        weighed = heavy(items)
    except KeyError as error:
        raise ValueError(f"no item {error}") from error
    else:
        weighed = light(weighed)
    if not weighed:
        raise errors.Empty(path, text="nothing left")
    if weighed is items:
        raise RuntimeError
    return weighed


def summary(items) -> Sentence:
    """The closing sentence."""
    from json import dumps
    return f"{dumps(items)} done."


def title(items) -> str:
    return "title"


WORDS: dict[str, Sentence] = {"a": "points on the border"}
OTHERS: dict[str, str] = {"a": "values"}


def gate(self, items):
    self.faults.add("points outside", f"point {items}")
    with faults.caught("masks", "annotation 3"):
        self.told["points moved"] += moved(items)
        kept["by a word"] += 1
        kept.add("a value")
'''
NOTHING = {
    "words of a fault": ("point {items}", "the point {items}"),
    "where a fault is": ("annotation 3", "annotation 4"),
    "words of a count": ("points moved", "points that were moved"),
    "words of a constant sentence": ("points on the border", "border points"),
    "an import for types": ("import numpy", "import numpy, torch"),
    "an import for types, by attribute": ("import scipy", "import scipy as sp"),
    "words of say": ("{len(items)} items", "{len(items)} things"),
    "words of say, by attribute": ('"begun"', '"has begun"'),
    "a progress interval": ("every=64", "every=8"),
    "no progress interval": (", every=64", ""),
    "words of an error": ("no item {error}", "there is no item {error}"),
    "words of an error, by attribute": ('path, text="nothing left"', '"nothing is left"'),
    "a help text": ("of the run", "of this run"),
    "no help text": (', help="of the run"', ""),
    "one method more in a door": ("TABLE = {", 'TABLE = {"new": Method("stages.new"), '),
    "a closing sentence": ("done.", "are done."),
    "what a sentence imports": ("json import dumps", "pprint import pformat as dumps"),
}
SOMETHING = {
    "what is counted": ("moved(items)", "len(items)"),
    "another constant": ('"values"', '"value"'),
    "words by which others count": ("by a word", "by words"),
    "what others add": ("a value", "another value"),
    "no fault": ('    self.faults.add("points outside", f"point {items}")\n', ""),
    "what else there is than types": ("numpy = None", "numpy = 0"),
    "what is run while types are checked": ("if typing.TYPE_CHECKING", "if typing.checking"),
    "another test of types": ("if TYPE_CHECKING:", "if not TYPE_CHECKING:"),
    "no say at all": ('        program.say("first", "begun")\n', ""),
    "another table": ('NUMBERS = {"psm": 1}', 'NUMBERS = {"psm": 2}'),
    "another call with the same words": ('program.say("first"', 'program.write("first"'),
    "another error": ("raise ValueError", "raise TypeError"),
    "another cause": ("from error", "from None"),
    "what an error is about": ("except KeyError", "except IndexError"),
    "code behind except": ("light(weighed)", "light(items)"),
    "code before except": ("heavy(items)", "heavy(items[1:])"),
    "when an error is raised": ("if not weighed", "if weighed is None"),
    "an error without arguments": ("raise RuntimeError", "raise OSError"),
    "a default of an argument": ("default=0", "default=1"),
    "a flag": ('"--seed"', '"--number"'),
    "the arguments of a sentence": ("def summary(items)", "def summary(things)"),
    "text that is no sentence": ('"title"', '"another title"'),
    "text that is a sentence no more": (
        "def summary(items) -> Sentence",
        "def summary(items) -> str",
    ),
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty `stages`."""
    (tmp_path / "stages").mkdir()
    monkeypatch.setattr(code, "ROOT", tmp_path)
    return tmp_path


def _digest(root: Path, text: str) -> list[str]:
    code._digest.cache_clear()
    (root / "stages" / "first.py").write_text(text)
    return code_of("stages.first")


@pytest.mark.parametrize(("old", "new"), NOTHING.values(), ids=list(NOTHING))
def test_an_edit_of_what_is_only_said_changes_no_digest(old: str, new: str, root: Path) -> None:
    assert PROGRAM.count(old) == 1
    assert _digest(root, PROGRAM.replace(old, new)) == _digest(root, PROGRAM)


@pytest.mark.parametrize(("old", "new"), SOMETHING.values(), ids=list(SOMETHING))
def test_an_edit_of_what_runs_changes_the_digest(old: str, new: str, root: Path) -> None:
    assert old in PROGRAM
    assert _digest(root, PROGRAM.replace(old, new, 1)) != _digest(root, PROGRAM)


def test_a_module_that_only_a_sentence_imports_is_left_out(root: Path) -> None:
    (root / "stages" / "words.py").write_text("TEXT = 1\n")
    text = "def f() -> {}:\n    from stages.words import TEXT\n    return TEXT\n"
    assert len(_digest(root, text.format("Sentence"))) == 1
    assert len(_digest(root, text.format("str"))) == 2
