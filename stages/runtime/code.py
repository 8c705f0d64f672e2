"""The code that a result depends on, as digests of syntax trees.

`code_of("stages.select", "stages.methods.selectors.psm")` parses (never imports) these modules and
everything that they import from `stages`, so that an edit reruns exactly the stages which use the
edited file, and a comment, a docstring, a blank line or a sentence reruns nothing
(`stages.runtime.grain`). Doors hold names of modules as text, so what stands behind one is named by
the caller. It needs the standard library alone, since the Snakefile calls it. The dump of the
syntax tree skips empty fields, `kind` and `type_comment`, which differ between Python versions.
"""

import ast
import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stages.runtime.grain import deciding

ROOT = Path(__file__).resolve().parents[2]
SKIPPED_FIELDS = frozenset({"kind", "type_comment", "type_ignores", "ctx"})
WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
LEFT_OUT = (
    "planning",
    "settings",
    "runtime",
)  # plans, values that travel in params, and surroundings
KEPT = frozenset({"stages.runtime.randomness"})


def code_of(program: str, *modules: str) -> list[str]:
    """Digests of `program`, of `modules`, and of everything that they import from `stages`.

    Imports of `stages.planning`, `stages.settings` and `stages.runtime` (randomness apart) are not
    followed, nor those under `if TYPE_CHECKING`: they decide no result.

    Parameters
    ----------
    modules : what the settings choose, as the doors name it.

    Returns
    -------
    Sorted list of "name@digest", digest = 8 hexadecimal digits of SHA-256 over the syntax tree.

    Raises
    ------
    ValueError : there is no such module.
    """
    todo, seen = [program, *modules], dict[str, str]()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        path = _path_of(name)
        if path is None:
            raise ValueError(f"{name}: there is no such module under {ROOT}.")
        seen[name], imported = _digest(path, path.stat().st_mtime_ns)
        todo.extend(imported)
    return [f"{name}@{digest}" for name, digest in sorted(seen.items())]


def _path_of(name: str) -> Path | None:
    base = ROOT.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


@functools.lru_cache(maxsize=512)
def _digest(path: Path, _modified: int) -> tuple[str, tuple[str, ...]]:
    tree = deciding(ast.parse(path.read_bytes()))
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))
    names = sorted({name for node in found for name in _imports(node)})
    text = _canonical(tree)
    return hashlib.sha256(text.encode()).hexdigest()[:8], tuple(names)


def _imports(node: ast.AST) -> Iterable[str]:
    """Names of the modules below `stages` that an import statement brings and that count."""
    if isinstance(node, ast.Import):
        found = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        found = [f"{node.module}.{alias.name}" for alias in node.names]
        found = [name if _path_of(name) else node.module for name in found]
    else:
        return []
    return [name for name in found if _counts(name)]


def _counts(name: str) -> bool:
    base, _, room = name.partition(".")
    return base == "stages" and (name in KEPT or room.split(".")[0] not in ("", *LEFT_OUT))


def _canonical(node: Any) -> str:
    if isinstance(node, list):
        return "[" + ",".join(map(_canonical, node)) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    documented = (
        isinstance(node, WITH_DOCSTRING) and ast.get_docstring(node, clean=False) is not None
    )
    parts = []
    for name in _fields(type(node)):  # type: ignore[arg-type]  # a class is hashable
        value: Any = getattr(node, name, None)
        if documented and name == "body":
            value = value[1:]
        elif name == "values" and isinstance(node, ast.JoinedStr):
            value = [piece for piece in value if not _is_empty(piece)]
        if value is not None and value != []:
            parts.append(f"{name}={_canonical(value)}")
    return f"{type(node).__name__}({','.join(parts)})"


@functools.cache
def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields of a kind of node that count, in one order."""
    return tuple(sorted(set(kind._fields) - SKIPPED_FIELDS))


def _is_empty(node: Any) -> bool:
    """Empty pieces of f-strings, which only some Python versions keep."""
    return isinstance(node, ast.Constant) and node.value == "" and node.kind is None
