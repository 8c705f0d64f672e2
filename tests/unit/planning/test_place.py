"""Places that Snakemake cannot work with."""

from pathlib import Path

import pytest

from stages.planning.place import refuse_clone, refuse_prefix


def test_a_clone_in_braces_is_refused() -> None:
    refuse_clone(Path("/opt/<my> clone"))
    with pytest.raises(ValueError, match=r"/opt/\{x\}: Snakemake misreads braces here"):
        refuse_clone(Path("/opt/{x}"))


def test_a_prefix_of_a_module_is_refused() -> None:
    refuse_prefix("results/")
    with pytest.raises(ValueError, match=r"module: prefix and replace_prefix are not supported"):
        refuse_prefix("mine/results/")
