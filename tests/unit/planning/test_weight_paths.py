"""Where weight files lie that are still to be fetched."""

from pathlib import Path

import pytest

from stages.planning.links import Links
from stages.planning.weight_paths import weights

NAME = "resnet50-0676ba61.pth"


@pytest.mark.parametrize("folder", ["..", "a/..", "/nowhere"])
def test_nothing_is_fetched_to_a_place_outside_of_the_working_folder(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = rf"^train\.weights: {folder}/{NAME} is not there, and nothing is fetched to"
    with pytest.raises(ValueError, match=said):
        weights(f"{folder}/{NAME}", "train.weights", tmp_path, Links(tmp_path / "results"))


def test_a_file_is_fetched_to_where_the_config_names_it_below_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (f"data/weights/{NAME}", str(tmp_path / NAME)):
        assert weights(path, "train.weights", tmp_path, Links(tmp_path / "results")) == path
