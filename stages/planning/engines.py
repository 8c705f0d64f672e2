"""Which engines can train here; standard library alone."""

from stages.engines.engine import ENGINES, is_importable


def engines_here(*, conda: bool) -> tuple[str, ...]:
    """The engines that can train here: all with conda, else those whose package is installed."""
    return tuple(name for name in ENGINES if conda or is_importable(name))
