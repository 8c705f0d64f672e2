"""Environments and pins, checked without a network: what is imported, what is pinned, where."""

import ast
import hashlib
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import segment_anything
import yaml

from stages.engines.engine import ENGINES
from stages.engines.engine import ENVIRONMENTS as OF_ENGINES
from stages.formats.format import FORMATS
from stages.formats.writer import WRITERS
from stages.metrics.scorers import HOTCOCO_TESTED

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))
IDS = [path.stem for path in ENVIRONMENTS]
PACKAGE_OF = {  # import name -> package, where they differ
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "segment_anything": "segment-anything-py",
    "faster_coco_eval": "faster-coco-eval",
}
UNPINNED = {  # package -> why its version is left open
    "detectron2": {"pytorch", "torchvision"},  # each build of detectron2 wants its own
}
OF_DETECTRON2 = {"detectron2", "fvcore", "omegaconf"}
OPTIONAL = {  # users install them beside the rest
    *OF_DETECTRON2,
    "faster-coco-eval",
    "tensorboard",
    "transformers",
}
SPARED = {"hotcoco"}  # required, but an environment may do without it: pycocotools stands in
# The first 16 digits of the SHA-256 of every file of facebookresearch/segment-anything at its last
# commit, dca509f: the distribution on the index is another person's, and must hold nothing else
SEGMENT_ANYTHING = {
    "__init__.py": "c8d8eb649610b2d5",
    "automatic_mask_generator.py": "71c698d2b6cbf5a6",
    "build_sam.py": "77bc4faf72811862",
    "modeling/__init__.py": "47f6363b86c0bfaa",
    "modeling/common.py": "59a53bfa5d0a4d44",
    "modeling/image_encoder.py": "1665ada2902722c9",
    "modeling/mask_decoder.py": "6a2455e990515c67",
    "modeling/prompt_encoder.py": "bd8f2f5903f0647f",
    "modeling/sam.py": "2d501173b7345f68",
    "modeling/transformer.py": "566a8f6db8b60839",
    "predictor.py": "ab66c29ac0b5b204",
    "utils/__init__.py": "34bd8069c54764e7",
    "utils/amg.py": "5c10f8dd63facb64",
    "utils/onnx.py": "b4410ac1dc9a7bb3",
    "utils/transforms.py": "26a649f2bca8a4a2",
}
PINNED = re.compile(r"^([A-Za-z0-9_.-]+)(==[\w.]+| =[\d.]+| >=?[\d.]+,<[\d.]+| <[\d.]+)$")


def _requirements(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    return dict(line.split("==") for line in lines if line and line[0] not in "#-")


def _environment(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(path.read_text())
    return values


def _dependencies(path: Path) -> tuple[list[str], list[str]]:
    """Lines for conda and lines for pip."""
    lines = _environment(path)["dependencies"]
    wheels = [wheel for line in lines if isinstance(line, dict) for wheel in line["pip"]]
    return [line for line in lines if isinstance(line, str)], wheels


def _imported(modules: list[str]) -> set[str]:
    """Packages from elsewhere that these modules import."""
    names = set[str]()
    for module in modules:
        path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    foreign = names - set(sys.stdlib_module_names) - {"stages"}
    return {PACKAGE_OF.get(name, name) for name in foreign}


def _modules_of(program: str, environment: str) -> list[str]:
    """All modules that a program may import; an engine those of its environment."""
    doors = {"stages.convert": WRITERS, "stages.prepare": FORMATS, "stages.translate": FORMATS}
    behind = [method.module for method in doors.get(program, {}).values()]
    names = ["torchvision", "detectron2"] if environment == "detectron2" else ["torchvision"]
    todo = [
        program,
        *behind,
        *(ENGINES[name].module for name in names if program == "stages.train"),
    ]
    seen = set[str]()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            tree = ast.parse(ROOT.joinpath(*name.split(".")).with_suffix(".py").read_bytes())
            todo += [found for node in ast.walk(tree) for found in _ours(node)]
    return sorted(seen)


def _ours(node: ast.AST) -> list[str]:
    """Modules of `stages` that an import statement brings."""
    if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("stages."):
        return []
    whole = [f"{node.module}.{alias.name}" for alias in node.names]
    there = [ROOT.joinpath(*name.split(".")).with_suffix(".py").is_file() for name in whole]
    return [name if found else str(node.module) for name, found in zip(whole, there, strict=True)]


def _programs_of_rules() -> set[tuple[str, Path]]:
    """Each program with its environment files, as the rules say."""
    found = set()
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        text = path.read_text()
        for program in re.findall(r"-m (stages\S+?)\"", text):
            (conda,) = re.findall(r"conda:\s+(\S.*)", text)
            files = OF_ENGINES.values() if "ENVIRONMENTS" in conda else [conda.strip('"')]
            found |= {(program, (path.parent / file).resolve()) for file in files}
    return found


PROGRAMS = sorted(_programs_of_rules())


def test_every_rule_names_an_environment_that_exists() -> None:
    assert len({program for program, _ in PROGRAMS}) == 26
    assert all(path.is_file() for _, path in PROGRAMS)


@pytest.mark.parametrize(
    ("program", "path"), PROGRAMS, ids=[f"{program} {path.stem}" for program, path in PROGRAMS]
)
def test_an_environment_covers_what_its_stage_imports(program: str, path: Path) -> None:
    conda, wheels = _dependencies(path)
    there = {re.split(r"[ =<>]", line)[0] for line in conda + wheels}
    there |= {"torch"} if "pytorch" in there else set()
    there |= {"opencv-python-headless"} if "opencv" in there else set()
    there |= OF_DETECTRON2 if "detectron2" in there else set()  # the others come with it
    needed = _imported(_modules_of(program, path.stem))
    missing = needed - there
    assert missing <= OPTIONAL | SPARED
    assert not (path.stem == "detectron2" and missing & OF_DETECTRON2)


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=IDS)
def test_channels_are_conda_forge_and_no_defaults(path: Path) -> None:
    assert _environment(path)["channels"] == ["conda-forge", "nodefaults"]
    assert set(_environment(path)) == {"channels", "dependencies"}


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=IDS)
def test_every_dependency_is_pinned(path: Path) -> None:
    conda, wheels = _dependencies(path)
    loose = [line for line in conda + wheels if not PINNED.match(line)]
    assert set(loose) == UNPINNED.get(path.stem, set())


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=IDS)
def test_wheels_have_the_versions_of_the_requirements(path: Path) -> None:
    pins = _requirements("requirements.txt")
    _, wheels = _dependencies(path)
    for wheel in wheels:
        name, version = wheel.split("==")
        assert pins[name] == version


def test_stages_has_every_requirement_but_snakemake() -> None:
    _, wheels = _dependencies(ROOT / "envs" / "stages.yaml")
    names = {wheel.split("==")[0] for wheel in wheels}
    assert set(_requirements("requirements.txt")) - names == {"snakemake"}


def test_every_requirement_is_imported_somewhere_and_nothing_else_is() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "stages").rglob("*.py")
    ]
    needed = _imported(modules) - OPTIONAL
    assert needed | {"snakemake"} == set(_requirements("requirements.txt"))


def test_the_tests_run_on_what_is_required() -> None:
    for name, version in _requirements("requirements.txt").items():
        assert metadata.version(name) == version, name


def test_the_hotcoco_that_scores_is_the_one_that_is_pinned() -> None:
    assert _requirements("requirements.txt")["hotcoco"] == HOTCOCO_TESTED


def test_segment_anything_is_what_its_authors_published() -> None:
    folder = Path(segment_anything.__file__).parent
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for path in folder.rglob("*.py")
    }
    assert found == SEGMENT_ANYTHING


def test_the_workflow_is_no_package_and_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--target", str(tmp_path / "x"), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert "Maskmill is a Snakemake workflow and not a package" in done.stdout + done.stderr
    assert not (tmp_path / "x").exists()
