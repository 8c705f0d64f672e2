"""The house plan as a test: who may import whom, and what every file owes its reader.

Each rule is one test, and what it finds is a list of offenders, each with its place.
"""

import ast
import graphlib
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STAGES = ROOT / "stages"
PROGRAMS = {path.stem for path in STAGES.glob("*.py")} - {"__init__"}

# from the top to the bottom; a room imports from rooms below its own, and from itself
LEVELS = {
    "planning": 0,  # what the Snakefile asks; no stage imports it
    "programs": 0,
    "engines": 1,
    "partworld": 1,
    "estimating": 1,
    "checkup": 1,
    "methods": 1,
    "learning": 2,
    "reporting": 2,
    "scoring": 3,
    "reviewing": 3,
    "segmenters": 3,
    "formats": 4,
    "grading": 4,
    "labels": 5,
    "tables": 6,
    "photographs": 6,
    "metrics": 7,
    "runtime": 7,
    "settings": 8,
    "mil": 8,  # its trivial choices are what metrics hold the others against
    "box_supervision": 8,
    "geometry": 9,
    "doors": 10,
}
DOORS = {  # tables of text: everybody may look at them, and they look at nobody
    "stages.runtime.doors",
    "stages.methods.prompter",
    "stages.methods.selector",
    "stages.methods.refiner",
    "stages.segmenters.segmenter",
    "stages.learning.clue_networks",
    "stages.learning.prompt_networks",
    "stages.learning.features",
    "stages.formats.format",
    "stages.formats.writer",
    "stages.engines.engine",
}
PURE = ("mil", "box_supervision", "labels", "metrics", "geometry")
NOT_IN_PURE = ("stages.runtime", "stages.settings", "logging", "pathlib", "os", "io", "shutil")
LONGEST_FILE, LONGEST, NINE_OF_TEN, MEDIAN = 250, 48, 23, 8  # lines
DYNAMIC = ("import_module", "__import__")
DRAWERS = {"utils", "helpers", "common", "misc"}
ASKED = """
import sys
import stages.planning.engines, stages.planning.locks, stages.planning.plan
import stages.formats.format, stages.runtime.doors
import stages.runtime.code, stages.segmenters.official, stages.settings.judge
stages.settings.judge.judged({})
for format in stages.formats.format.FORMATS.values():
    stages.runtime.doors.opened(format.module)
print(*{name.split(".")[0] for name in sys.modules})
"""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under `if TYPE_CHECKING`, which no program runs."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            for node in child.orelse:
                yield from _running(node)
        else:
            yield from _running(child)


def _imports(nodes: Iterable[ast.AST]) -> set[str]:
    """Dotted names of the modules that are imported, anywhere in a file."""
    names = set[str]()
    for node in nodes:
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


FILES = {_name(path): path for path in sorted(STAGES.rglob("*.py"))}
TREES = {name: ast.parse(path.read_bytes()) for name, path in FILES.items()}
IMPORTS = {name: _imports(_running(tree)) for name, tree in TREES.items()}
OURS = {
    name: {other for other in found if other.split(".")[0] == "stages"} - {"stages"}
    for name, found in IMPORTS.items()
    if name != "stages"
}


def _begins(name: str, starts: Iterable[str]) -> bool:
    return any(name == start or name.startswith(f"{start}.") for start in starts)


def _nodes(*kinds: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """Each node of some kinds, with its place."""
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, kinds):
                yield f"{name}:{getattr(node, 'lineno', 1)}", node


def _called(node: ast.AST) -> str:
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "attr", getattr(function, "id", ""))


def _none(offenders: Iterable[str]) -> None:
    """Fail with a line for each offender."""
    found = sorted(offenders)
    assert not found, "\n".join(["these break the rule:", *found])


def test_every_room_has_a_level() -> None:
    rooms = {path.parent.name for path in STAGES.glob("*/*.py")}
    _none(rooms - set(LEVELS))


def test_imports_point_downwards_only() -> None:
    offenders = [
        f"{name} imports {other}"
        for name, found in OURS.items()
        for other in sorted(found)
        if _room(name) != _room(other) and LEVELS[_room(name)] >= LEVELS[_room(other)]
    ]
    _none(offenders)


def test_no_program_imports_another() -> None:
    programs = {f"stages.{name}" for name in PROGRAMS}
    _none(f"{name} imports {other}" for name, found in OURS.items() for other in found & programs)


def test_nothing_imports_in_a_circle() -> None:
    graphlib.TopologicalSorter(OURS).prepare()


def test_doors_look_at_nobody() -> None:
    allowed = {"stages.runtime.doors", *sys.stdlib_module_names}
    _none(
        f"{name} imports {other}"
        for name in DOORS
        for other in IMPORTS[name]
        if not _begins(other, allowed)
    )


def test_imports_are_absolute_and_written_out() -> None:
    offenders = [
        where
        for where, node in _nodes(ast.ImportFrom)
        if isinstance(node, ast.ImportFrom) and (node.level or node.names[0].name == "*")
    ]
    _none(offenders)


def test_modules_are_opened_by_name_behind_doors_alone() -> None:
    offenders = [
        where
        for where, node in _nodes(ast.Call)
        if _called(node) in DYNAMIC and not where.startswith("stages.runtime.doors:")
    ]
    _none(offenders)


def test_pure_rooms_know_no_files_logs_or_settings() -> None:
    offenders = [
        f"{name} imports {other}"
        for name, found in IMPORTS.items()
        for other in sorted(found)
        if _begins(name, (f"stages.{room}" for room in PURE)) and _begins(other, NOT_IN_PURE)
    ]
    _none(offenders)


def test_segment_anything_stays_with_segmenters_and_with_what_trains_one() -> None:
    offenders = [
        name
        for name, found in IMPORTS.items()
        if any(_begins(other, ("segment_anything",)) for other in found)
        and not _begins(name, ("stages.segmenters", "stages.partworld"))
    ]
    _none(offenders)


def test_the_snakefile_loads_nothing_but_what_snakemake_brings() -> None:
    done = subprocess.run([sys.executable, "-c", ASKED], cwd=ROOT, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "pydantic" in loaded, done.stderr
    assert not loaded & {"numpy", "torch", "pyarrow", "pycocotools", "cv2", "PIL", "jsonschema"}


def test_every_file_and_public_name_has_a_docstring() -> None:
    offenders = [name for name, tree in TREES.items() if not ast.get_docstring(tree)]
    for name, tree in TREES.items():
        for node in _public(tree.body):
            offenders += [f"{name}: {node.name}"] if not ast.get_docstring(node) else []
    _none(offenders)


def _public(body: Iterable[ast.stmt]) -> Iterator[Function | ast.ClassDef]:
    """Functions and classes without an underscore, and the methods of such classes."""
    for node in body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body)


def test_weights_of_strangers_cannot_run_code() -> None:
    offenders = []
    for where, node in _nodes(ast.Call):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.load", "load"):
            keywords = {word.arg: ast.unparse(word.value) for word in node.keywords}
            offenders += [where] if keywords.get("weights_only") != "True" else []
            offenders += [where] if not where.startswith("stages.runtime.weights:") else []
    _none(offenders)


def test_no_drawer_is_without_a_name() -> None:
    _none(name for name, path in FILES.items() if path.stem in DRAWERS)


def test_no_basename_stands_twice() -> None:
    """But for a method and its mathematics, what is done for two libraries, and settings."""
    excused = ("stages.settings", "stages.mil", "stages.engines.detectron2")
    counts = Counter(
        path.name
        for name, path in FILES.items()
        if path.stem != "__init__" and not _begins(name, excused)
    )
    _none(name for name, count in counts.items() if count > 1)


def test_no_file_is_long() -> None:
    counts = {name: len(path.read_text().splitlines()) for name, path in FILES.items()}
    _none(f"{name}: {count} lines" for name, count in counts.items() if count > LONGEST_FILE)


def test_functions_are_short() -> None:
    lengths = {}
    for where, node in _nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, Function)
        lengths[f"{where} {node.name}"] = (node.end_lineno or 0) - node.lineno + 1
    _none(f"{name}: {count} lines" for name, count in lengths.items() if count > LONGEST)
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= NINE_OF_TEN
    assert statistics.median(lengths.values()) <= MEDIAN
