"""Which engines can train here, and whose code a training rests on; standard library alone."""

from importlib.util import find_spec

from stages.engines.engine import ENGINES
from stages.runtime.code import code_of


def engines_here(*, conda: bool) -> tuple[str, ...]:
    """The engines that can train here: all with conda, else those whose package is installed."""
    return tuple(name for name in ENGINES if conda or find_spec(name))


def training_code(engine: str) -> list[str]:
    """Digests of the code of a training; an edit of the other engine does not rerun it."""
    return code_of("stages.train", ENGINES[engine].module)
