"""What a method is opened with."""

from pathlib import Path
from typing import Any

import pytest

from stages.methods.kit import Kit
from stages.settings.propose import Propose
from stages.settings.refine import Refine
from stages.settings.refiners.as_it_is import Settings as AsItIs
from stages.settings.select import Select
from stages.settings.selectors.psm import Settings as Psm

KITS: list[tuple[str, Refine | None, Any]] = [  # select.method, section `refine`, class of block
    ("sam_top1", None, type(None)),
    ("psm", None, Psm),
    ("psm", Refine(method="as_it_is"), AsItIs),
]


@pytest.mark.parametrize(("method", "refine", "kind"), KITS)
def test_the_block_is_that_of_the_method_that_is_opened(
    method: str, refine: Refine | None, kind: Any
) -> None:
    kit = Kit(Path(), (), Propose(), Select(method=method), refine=refine)
    assert type(kit.block) is kind
