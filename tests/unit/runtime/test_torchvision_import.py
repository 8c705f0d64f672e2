"""torchvision comes without torch's compiler, which is there when it is asked for."""

import subprocess
import sys

import pytest

CHECK = """
import sys
sys.argv[0] = "-m"
import stages
{first}
import torchvision.ops
assert ("torch._dynamo" in sys.modules) is {there}, "the compiler"
import torch
from torchvision.ops import roi_align
asked = sys.modules["torchvision.ops.roi_align"].is_compile_supported
boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
assert roi_align(torch.ones(1, 1, 4, 4), [boxes], 1).item() == 1
import torch._dynamo.utils
assert asked("cpu") == torch._dynamo.utils.is_compile_supported("cpu")
double = torch.compile(lambda x: 2 * x, backend="eager")
assert double(torch.ones(1)).item() == 2
"""


@pytest.mark.parametrize(("first", "there"), [("", False), ("import torch._dynamo", True)])
def test_the_compiler_is_loaded_by_who_asks_for_it(first: str, there: bool) -> None:
    code = CHECK.format(first=first, there=there)
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def test_a_torchvision_that_asks_for_more_gets_the_compiler() -> None:
    spoiled = "import stages.runtime.torchvision_import as own; own.is_compile_supported = None; "
    spoiled += "own.UTILS = 'torch._dynamo.elsewhere'"
    code = CHECK.format(first=spoiled, there=True)
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
