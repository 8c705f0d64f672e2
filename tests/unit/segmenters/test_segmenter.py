"""The door: who may know SAM, and what stands behind each name."""

import ast
from pathlib import Path

import pytest

from stages.runtime.doors import opened
from stages.segmenters.segmenter import SEGMENTERS

STAGES = Path(__file__).resolve().parents[3] / "stages"
AT_HOME = ("segmenters", "partworld")  # the latter trains the tiny one


def imports(path: Path, package: str) -> bool:
    """Whether a file imports a package, anywhere in it."""
    names = set[str]()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return any(name.split(".")[0] == package for name in names)


def test_only_segmenters_and_partworld_import_segment_anything() -> None:
    users = [path for path in STAGES.rglob("*.py") if imports(path, "segment_anything")]
    rooms = {path.relative_to(STAGES).parts[0] for path in users}
    assert "segmenters" in rooms
    strangers = [path for path in users if path.relative_to(STAGES).parts[0] not in AT_HOME]
    assert not strangers, f"ask through stages/segmenters/segmenter.py: {strangers}"


@pytest.mark.parametrize("name", SEGMENTERS)
def test_every_segmenter_has_the_functions_of_the_door(name: str) -> None:
    module = opened(SEGMENTERS[name].module)
    assert callable(module.model_digest)
    assert callable(module.opened_segmenter)


def test_transformers_is_imported_in_one_place_and_only_when_a_model_is_opened() -> None:
    users = [path.stem for path in STAGES.rglob("*.py") if imports(path, "transformers")]
    assert users == ["transformers_loading"]
    tree = ast.parse((STAGES / "segmenters" / "transformers_loading.py").read_bytes())
    at_the_top = [node for node in tree.body if isinstance(node, ast.Import)]
    assert "transformers" not in {alias.name for node in at_the_top for alias in node.names}
