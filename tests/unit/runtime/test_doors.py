import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from stages.engines.engine import ENGINES
from stages.formats.format import FORMATS
from stages.formats.writer import WRITERS
from stages.learning.features import FEATURES
from stages.methods.prompter import PROMPTERS
from stages.methods.refiner import REFINERS
from stages.methods.selector import SELECTORS
from stages.runtime.doors import Method, opened
from stages.segmenters.segmenter import SEGMENTERS

ROOT = Path(__file__).resolve().parents[3]
DOORS = {
    "stages.engines.engine": ENGINES,
    "stages.formats.format": FORMATS,
    "stages.formats.writer": WRITERS,
    "stages.learning.features": FEATURES,
    "stages.methods.prompter": PROMPTERS,
    "stages.methods.refiner": REFINERS,
    "stages.methods.selector": SELECTORS,
    "stages.segmenters.segmenter": SEGMENTERS,
}


@pytest.mark.parametrize("door", DOORS)
def test_every_name_leads_to_modules_that_are_there(door: str) -> None:
    table: Mapping[str, Method] = DOORS[door]
    assert table
    for name, method in table.items():
        modules = [method.module, method.settings, method.fit, method.joint]
        for module in filter(None, modules):
            assert importlib.util.find_spec(module), f"{door}: {name}: {module}"
        if method.settings:
            assert hasattr(opened(method.settings), "Settings"), name


def test_doors_open_nothing_that_is_heavy() -> None:
    program = f"import sys, json, {', '.join(DOORS)}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(done.stdout))
    assert not loaded & {"torch", "numpy", "pyarrow", "cv2", "segment_anything", "pycocotools"}
    methods = {m.module for table in DOORS.values() for m in table.values()}
    assert not loaded & methods
