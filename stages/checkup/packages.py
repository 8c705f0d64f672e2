"""Which packages are installed, beside those that were tested. Nothing of them is imported."""

import sys
from collections.abc import Collection, Iterator, Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from stages.checkup.finding import Finding

LEAST_PYTHON = (3, 11)
LEAST = {"snakemake": (9, 19)}  # below it the Snakefile stops
MODULES = {  # package: what is imported, where it is called otherwise
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "pyyaml": "yaml",
    "segment-anything-py": "segment_anything",
    "faster-coco-eval": "faster_coco_eval",
}
SPARED = {"hotcoco": "pycocotools does its work, more slowly"}  # pinned, but not needed
OPTIONAL = {  # package: the feature that needs it
    "transformers": "propose.segmenter: transformers, and features of that source",
    "detectron2": "train.engine: detectron2",
    "faster-coco-eval": "evaluate.backend: faster_coco_eval",
    "tensorboard": "nothing of Maskmill",
}
INSTALL = {
    "detectron2": "snakemake --use-conda ... (envs/detectron2.yaml), or see its own install page"
}


def python_found() -> Finding:
    """The interpreter."""
    seen = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= LEAST_PYTHON:
        return Finding("ok", "Python", seen)
    least = ".".join(map(str, LEAST_PYTHON))
    return Finding(
        "wrong", "Python", f"{seen}, but {least} is the least", f"python{least} -m venv .venv"
    )


def pins_in(path: Path) -> dict[str, str]:
    """The pinned versions of a requirements file by package; none where there is no file."""
    if not path.is_file():
        return {}
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.split("==") for line in lines if "==" in line)
    return {name.strip(): version.strip() for name, version in pairs}


def version_of(package: str) -> str | None:
    """The installed version, "?" where only the module can be found; None: not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        module = MODULES.get(package, package)
    try:
        return "?" if find_spec(module) else None
    except (ImportError, ValueError):
        return None


def packages_found(pins: Mapping[str, str]) -> Iterator[Finding]:
    """A line for each package that the pipeline runs on."""
    for package, pin in pins.items():
        yield _found(package, pin, version_of(package))


def _found(package: str, pin: str, seen: str | None) -> Finding:
    install = f"pip install {package}=={pin}"
    if seen is None and package in SPARED:
        return Finding("absent", package, f"not installed; {SPARED[package]}", install)
    if seen is None:
        return Finding("missing", package, "not installed", install)
    if package in LEAST and _numbers(seen) < LEAST[package]:
        least = ".".join(map(str, LEAST[package]))
        return Finding("wrong", package, f"{seen}, but {least} is the least", install)
    if seen.split("+")[0] == pin:
        return Finding("ok", package, seen)
    return Finding("ok", package, f"{seen}; tested with {pin}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) or (sys.maxsize,)


def optional_found(needed: Collection[str], pins: Mapping[str, str]) -> Iterator[Finding]:
    """A line for each optional package, with what needs it.

    Parameters
    ----------
    needed : those that the config asks for. pins : versions that were tested, where there are any.
    """
    for package, feature in OPTIONAL.items():
        seen = version_of(package)
        pin = f"{package}=={pins[package]}" if package in pins else package
        install = INSTALL.get(package, f"pip install {pin}")
        if seen is not None:
            yield Finding("ok", package, f"{seen} (optional)")
        elif package in needed:
            yield Finding(
                "missing", package, f"not installed, but the config has {feature}", install
            )
        else:
            yield Finding("absent", package, f"not installed; needed by {feature}")
