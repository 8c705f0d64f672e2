"""The engines by name: where they run, which are installed, and whose code a training rests on.

Standard library alone, since the Snakefile asks.
"""

from importlib.util import find_spec

from stages.runtime.code import code_of

ENGINES = {  # name, as that of the package: conda environment, as seen from the rules
    "torchvision": "../../envs/stages.yaml",
    "detectron2": "../../envs/detectron2.yaml",
}
MODULES = {
    "torchvision": "stages.engines.torchvision",
    "detectron2": "stages.engines.detectron2.engine",
}


def engines_here(*, conda: bool) -> tuple[str, ...]:
    """The engines that can train here: all with conda, else those whose package is installed."""
    return tuple(name for name in ENGINES if conda or find_spec(name))


def training_code(engine: str) -> list[str]:
    """Digests of the code of a training; an edit of the other engine does not rerun it."""
    return code_of("stages.train", MODULES[engine])
