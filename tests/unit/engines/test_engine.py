"""The door to the engines: the one that is named, or a sentence."""

import subprocess
import sys

import pytest

from stages.engines import engine as opening
from stages.engines import torchvision
from stages.settings.train import Train


def test_every_engine_has_an_environment() -> None:
    assert set(opening.ENGINES) == set(opening.ENVIRONMENTS)


def test_the_door_imports_no_library() -> None:
    heavy = "numpy torch PIL torchvision detectron2"
    program = (
        "import sys, stages.engines.engine, stages.planning.engines\n"
        f"print([name for name in '{heavy}'.split() if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_engine_of_the_config_comes() -> None:
    assert opening.open_engine(Train()) is torchvision


def test_an_engine_that_is_not_installed_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "is_importable", lambda engine: engine != "detectron2")
    with pytest.raises(ValueError, match=r"detectron2 is not installed.*train\.engine: torchvis"):
        opening.open_engine(Train(engine="detectron2"))
