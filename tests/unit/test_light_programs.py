"""What asks no network loads none: torch takes two seconds and half a gigabyte of each job."""

import subprocess
import sys

import pytest

LIGHT = ("select", "grade", "export", "report", "review", "prepare", "evaluate", "correct", "tidy")
CHECK = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*sorted({"torch", "scipy", "torchvision"} & set(sys.modules)))
"""


@pytest.mark.parametrize(
    "modules",
    [[f"stages.{name}" for name in LIGHT], ["stages.methods.selectors.trivial"]],
    ids=["programs", "trivial selectors"],
)
def test_no_network_is_loaded_where_none_is_asked(modules: list[str]) -> None:
    command = [sys.executable, "-c", CHECK, *modules]
    found = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    assert found.stdout.split() == []


@pytest.mark.long
def test_the_list_is_not_of_what_is_always_light() -> None:
    command = [sys.executable, "-c", CHECK, "stages.methods.selectors.psm"]
    found = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    assert "torch" in found.stdout.split()
