"""The door to the engines: the one that is named, or a sentence."""

import pytest

from stages.engines import engine as opening
from stages.engines import torchvision
from stages.settings.train import Train


def test_the_engine_of_the_config_comes() -> None:
    assert opening.open_engine(Train()) is torchvision


def test_an_engine_that_is_not_installed_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "is_importable", lambda engine: engine != "detectron2")
    with pytest.raises(ValueError, match=r"detectron2 is not installed.*train\.engine: torchvis"):
        opening.open_engine(Train(engine="detectron2"))
