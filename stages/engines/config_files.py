"""The files that a user's network is described in, so that their content decides what reruns.

detectron2's YAML may stand on others (`_BASE_`), a LazyConfig may import others beside it; both are
followed. What such a program imports from elsewhere, or builds names of while it runs, is not seen.
Standard library alone, since the plan asks too.
"""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

YAML, PYTHON = (".yaml", ".yml"), (".py",)
BASES = re.compile(r"^_BASE_:(.*(?:\n\s*-.*)*)", re.MULTILINE)
NAME = re.compile(r"[^\s\"'\[\],]+\.ya?ml")


def config_files(path: str | None) -> list[Path]:
    """The file and those that it stands on, each once; links are followed first.

    Raises
    ------
    ValueError : one of them is missing, or lies on the network.
    """
    todo, found = [Path(os.path.realpath(path))] if path else [], list[Path]()
    while todo:
        file = todo.pop(0)
        if file in found:
            continue
        if not file.is_file():
            raise ValueError(f"train.config: {path} needs {file}, and there is no such file.")
        found.append(file)
        todo += [Path(os.path.normpath(base)) for base in _bases(file)]
    return found


def _bases(file: Path) -> Iterator[Path]:
    text = file.read_text(encoding="utf-8", errors="replace")
    if file.suffix in PYTHON:
        yield from _imported(file, text)
    for names in BASES.findall(text) if file.suffix in YAML else []:
        for name in NAME.findall(names):
            if "://" in name:
                raise ValueError(
                    f"{file}: its _BASE_ {name} lies on the network, and nothing is downloaded. "
                    "Put a copy beside it."
                )
            yield file.parent / os.path.expanduser(name)


def _imported(file: Path, text: str) -> Iterator[Path]:
    """What a LazyConfig imports with dots: paths, whatever the packages (detectron2's rule)."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return  # is told when it is read
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and node.module:
            folder = file.parents[node.level - 1]
            yield folder.joinpath(*node.module.split(".")).with_suffix(".py")
