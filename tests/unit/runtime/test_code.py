import subprocess
import sys
from pathlib import Path

import pytest

from stages.runtime import code
from stages.runtime.code import code_of

HELPER = '''"""What it is for."""

from stages.topic import deep

LIMIT = 3  # px


def area(side: int) -> int:
    """Area of a square."""
    # a comment
    return side * side
'''


TYPED = """
from typing import TYPE_CHECKING

import stages.settings.select
from stages.planning import plan
from stages.runtime import program, randomness

if TYPE_CHECKING:
    from stages.topic.helper import area
else:
    from stages.topic.other import g
"""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A little `stages`: first imports helper, helper imports deep; second imports deep alone."""
    files = {
        "stages/__init__.py": "",
        "stages/first.py": "import json\nfrom stages.topic.helper import area\nprint(area(2))\n",
        "stages/second.py": "import stages.topic.other\n",
        "stages/typed.py": TYPED,
        "stages/planning/plan.py": "from stages.topic.deep import f\n",
        "stages/settings/select.py": "from stages.topic.deep import f\n",
        "stages/runtime/program.py": "from stages.topic.deep import f\n",
        "stages/runtime/randomness.py": "PURPOSE = 1\n",
        "stages/topic/__init__.py": "",
        "stages/topic/helper.py": HELPER,
        "stages/topic/deep.py": "def f(x):\n    return f'{x} px'\n",
        "stages/topic/other.py": "def g():\n    from stages.topic import deep\n    return deep\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(code, "ROOT", tmp_path)
    return tmp_path


def _names(module: str) -> list[str]:
    return [entry.split("@")[0] for entry in code_of(module)]


def test_code_of_follows_imports_also_within_functions(world: Path) -> None:
    assert _names("stages.first") == ["stages.first", "stages.topic.deep", "stages.topic.helper"]
    assert _names("stages.second") == ["stages.second", "stages.topic.deep", "stages.topic.other"]


def test_code_of_names_what_the_caller_chooses_with_what_that_imports(world: Path) -> None:
    names = [entry.split("@")[0] for entry in code_of("stages.first", "stages.topic.other")]
    assert names == [*_names("stages.first"), "stages.topic.other"]


def test_code_of_leaves_out_what_decides_no_result(world: Path) -> None:
    assert _names("stages.typed") == [
        "stages.runtime.randomness",
        "stages.topic.deep",
        "stages.topic.other",  # what `else` imports is run
        "stages.typed",
    ]


def test_code_of_an_unknown_module_is_refused(world: Path) -> None:
    with pytest.raises(ValueError, match=r"stages\.third: there is no such module"):
        code_of("stages.third")


UNCHANGED = {
    "a comment": ("# a comment", "# another comment\n    # of two lines"),
    "a comment at the line": ("  # px", ""),
    "a docstring": ("Area of a square.", "The area, in px^2."),
    "the module's docstring": ('"""What it is for."""', '"""Something else."""'),
    "no docstring": ('    """Area of a square."""\n', ""),
    "a blank line": ("LIMIT", "\n\nLIMIT"),
    "spaces": ("side * side", "(side  *  side)"),
}
CHANGED = {
    "a number": ("LIMIT = 3", "LIMIT = 4"),
    "an operator": ("side * side", "side + side"),
    "a name": ("area(side", "area(length"),
    "an annotation": ("-> int", "-> float"),
    "a new statement": ("LIMIT = 3", "LIMIT = 3\nOTHER = 0"),
    "a string that is no docstring": ("return side", "'text'\n    return side"),
}


@pytest.mark.parametrize(("old", "new"), UNCHANGED.values(), ids=list(UNCHANGED))
def test_code_of_ignores_what_does_not_run(old: str, new: str, world: Path) -> None:
    _edit_and_compare(world, old, new, equal=True)


@pytest.mark.parametrize(("old", "new"), CHANGED.values(), ids=list(CHANGED))
def test_code_of_sees_what_runs(old: str, new: str, world: Path) -> None:
    _edit_and_compare(world, old, new, equal=False)


def _edit_and_compare(world: Path, old: str, new: str, *, equal: bool) -> None:
    helper = world / "stages" / "topic" / "helper.py"
    before = {name: code_of(name) for name in ("stages.first", "stages.second")}
    text = helper.read_text()
    assert old in text
    code._digest.cache_clear()
    helper.write_text(text.replace(old, new))
    assert (code_of("stages.first") == before["stages.first"]) is equal
    assert code_of("stages.second") == before["stages.second"]
    code._digest.cache_clear()
    helper.write_text(text)
    assert code_of("stages.first") == before["stages.first"]


def test_a_changed_digest_names_its_module(world: Path) -> None:
    before = set(code_of("stages.first"))
    path = world / "stages" / "topic" / "deep.py"
    path.write_text(path.read_text().replace("px", "m"))
    code._digest.cache_clear()
    (changed,) = set(code_of("stages.first")) - before
    assert changed.startswith("stages.topic.deep@")


def test_digests_do_not_depend_on_the_python_version(world: Path) -> None:
    # written down on Python 3.11; every other version must agree
    assert code_of("stages.topic.deep") == ["stages.topic.deep@2dc5648e"]


def test_the_static_closure_covers_what_python_really_imports() -> None:
    program = "import sys, stages.prepare; print(*[m for m in sys.modules if m[:7] == 'stages.'])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=code.ROOT,
    )
    packages = {"stages." + path.parent.name for path in code.ROOT.glob("stages/*/*.py")}
    left_out = {"stages." + room for room in ("planning", "settings", "runtime")}
    needed = {
        name
        for name in set(done.stdout.split()) - packages
        if name.rpartition(".")[0] not in left_out or name == "stages.runtime.randomness"
    }
    assert "stages.formats.weakening" in needed
    assert needed <= set(_names("stages.prepare"))
