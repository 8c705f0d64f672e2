"""torchvision without torch's compiler, which costs each job two seconds and 180 MB.

torchvision 0.29 imports all of `torch._dynamo` for one question, `is_compile_supported`, that
`roi_align` asks where torch is told to be deterministic on a GPU. Here the question waits until it
is asked: while that one module of torchvision is loaded, and no longer, a module that holds the
question alone stands where the compiler will be. What torch itself asks of its compiler is
untouched, and so is a process that has loaded it.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType

ASKER, COMPILER = "torchvision.ops.roi_align", "torch._dynamo"
UTILS = f"{COMPILER}.utils"


def put_off_compiler() -> None:
    """Let torchvision's import leave torch's compiler alone; to be called before it, once."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def is_compile_supported(device_type: str) -> bool:
    """The compiler's own answer; loads it."""
    from torch._dynamo import utils

    return bool(utils.is_compile_supported(device_type))


class _Finder(importlib.abc.MetaPathFinder):
    """Finds one module, where it is, and has it loaded by `_Loader`."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of ASKER; of no other module, and of none where the compiler is there."""
        if name != ASKER or COMPILER in sys.modules:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    """Runs the module's own code while the stand-ins are there."""

    def exec_module(self, module: ModuleType) -> None:
        """As its base; a torchvision that asks for something else gets the compiler."""
        stands_in = {COMPILER: ModuleType(COMPILER), UTILS: ModuleType(UTILS)}
        stands_in[COMPILER].__path__ = []
        stands_in[UTILS].__dict__["is_compile_supported"] = is_compile_supported
        sys.modules.update(stands_in)
        try:
            super().exec_module(module)
            asked_more = False
        except ImportError:
            asked_more = True
        finally:
            for name in stands_in:
                sys.modules.pop(name, None)
        if asked_more:
            super().exec_module(module)
