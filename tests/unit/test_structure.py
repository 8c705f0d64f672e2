"""The house plan as a test: who may import whom, and what every file owes its reader."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STAGES = ROOT / "stages"
FILES = sorted(STAGES.rglob("*.py"))
PROGRAMS = {path.stem for path in STAGES.glob("*.py")} - {"__init__"}

# from the top to the bottom; a room imports from its own level's rooms below, and from itself
LEVELS = {
    "programs": 0,
    "planning": 0.5,  # it reads the tables of the doors
    "engines": 1,
    "partworld": 1,
    "learning": 2,
    "reporting": 2,
    "scoring": 3,
    "segmenters": 3,
    "labels": 4,
    "formats": 4,
    "tables": 4,
    "photographs": 4,
    "metrics": 5,
    "runtime": 5,
    "methods": 2,
    "settings": 6,
    "mil": 6,  # its trivial choices are what metrics hold the others against
    "geometry": 7,
    "doors": 7,
}
DOORS = {  # tables of text: everybody may look at them, and they look at nobody
    "stages.runtime.doors",
    "stages.methods.prompter",
    "stages.methods.selector",
    "stages.methods.refiner",
    "stages.segmenters.segmenter",
    "stages.learning.features",
    "stages.formats.format",
}
PURE = ("mil", "labels", "metrics", "geometry")
NOT_IN_PURE = {"stages.runtime", "stages.settings", "logging", "pathlib", "os", "io", "shutil"}


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path, *, for_types: bool = True) -> set[str]:
    """Dotted names of the modules that a file imports, anywhere in it."""
    names, tree = set[str](), ast.parse(path.read_bytes())
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = node.body if for_types else []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {_module(node.module, alias.name) for alias in node.names}
    return names


def _module(base: str, name: str) -> str:
    whole = ROOT.joinpath(*base.split("."), f"{name}.py")
    return f"{base}.{name}" if whole.is_file() else base


def _room(module: str) -> str:
    parts = module.split(".")
    if module in DOORS:
        return "doors"
    return "programs" if len(parts) == 2 and parts[1] in PROGRAMS else parts[1]


MODULES = {_name(path): path for path in FILES}
OURS = {
    name: {other for other in _imports(path) if other.split(".")[0] == "stages"}
    for name, path in MODULES.items()
}
IDS = [_name(path) for path in FILES]


def test_every_room_has_a_level() -> None:
    rooms = {path.parent.name for path in STAGES.glob("*/*.py")}
    assert rooms <= set(LEVELS), "give the new room its level in this test"


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_imports_point_downwards_only(path: Path) -> None:
    name = _name(path)
    if name == "stages":
        return
    for other in OURS[name] - {"stages"}:
        here, there = _room(name), _room(other)
        assert there != "programs", f"{name} imports the program {other}"
        assert here == there or LEVELS[here] < LEVELS[there], f"{name} imports {other}"


def test_nothing_imports_in_a_circle() -> None:
    graphlib.TopologicalSorter(OURS).prepare()


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_imports_are_absolute_and_written_out(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name}:{node.lineno}: relative import"
            assert node.names[0].name != "*", f"{path.name}:{node.lineno}: import *"
        called = node.func if isinstance(node, ast.Call) else None
        name = getattr(called, "attr", getattr(called, "id", ""))
        dynamic = name in ("import_module", "__import__")
        assert not dynamic or _name(path) == "stages.runtime.doors", f"{path.name}: dynamic import"


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.parent.name in PURE], ids=lambda path: _name(path)
)
def test_pure_rooms_know_no_files_logs_or_settings(path: Path) -> None:
    for name in _imports(path):
        assert not any(name == bad or name.startswith(f"{bad}.") for bad in NOT_IN_PURE), name


ASKED = """
import sys
import stages.planning.engines, stages.planning.locks, stages.planning.plan
import stages.runtime.code, stages.segmenters.official, stages.settings.judge
stages.settings.judge.judged({})
print(*{name.split(".")[0] for name in sys.modules})
"""


def test_the_snakefile_loads_nothing_but_what_snakemake_brings() -> None:
    done = subprocess.run([sys.executable, "-c", ASKED], cwd=ROOT, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "pydantic" in loaded, done.stderr
    assert not loaded & {"numpy", "torch", "pyarrow", "pycocotools", "cv2", "PIL", "jsonschema"}


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_every_file_and_public_name_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_bytes())
    assert ast.get_docstring(tree), f"{path}: no module docstring"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path}: {node.name}"


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_weights_of_strangers_cannot_run_code(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.load", "load"):
            keywords = {word.arg: ast.unparse(word.value) for word in node.keywords}
            assert keywords.get("weights_only") == "True", f"{path}:{node.lineno}"


def test_no_drawer_without_a_name() -> None:
    assert not {path.stem for path in FILES} & {"utils", "helpers", "common", "misc"}
