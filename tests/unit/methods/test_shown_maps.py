"""Maps for a person: as the header says that they were looked at, with a provider of our own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.learning.clue_networks import Looks
from stages.methods import shown_maps
from stages.methods.kit import LookingKit
from stages.settings.prompters.clues import Settings
from stages.tables.prompts import PROMPTS
from tests.sound_rows import image_row, write_rows

CLASSES = {3: "cat", 5: "dog", 9: "car"}


class Provider:
    """Maps that tell their class and their kind by their value."""

    def maps(
        self, image: Mapping[str, Any], columns: Sequence[int], looks: Looks
    ) -> dict[str, np.ndarray]:
        size = (image["height"], image["width"])
        made = {"coarse": [np.full(size, column / 10) for column in columns]}
        made["cross"] = [np.full(size, 0.25), np.full(size, 0.75)]
        return {name: np.stack(made[name]).astype(np.float32) for name in looks.names}


class Prompter:
    """What a prompter of clues is asked for."""

    def __init__(self, settings: Settings, kit: LookingKit):
        self.provider, self.looks, self.kit = Provider(), Looks(settings.maps), kit


def prompts(folder: Path, *sources: dict[str, Any]) -> Path:
    header = {"settings": {"sources": list(sources)}, "fit_settings": {"network": "vit"}}
    more = {"propose_settings": {"segmenter": "sam"}, "seed": 4}
    return write_rows(folder / "shard-0000-of-0001.parquet", PROMPTS, [], **header, **more)


def asked(path: Path, tags: Mapping[int, str]) -> dict[str, np.ndarray]:
    files = {"model": path.parent / "model.pt", "folder": path.parent}
    return shown_maps.shown_maps(path, image_row(), tags, classes=CLASSES, **files)


def test_prompts_that_were_found_in_no_map_have_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no prompter of this run looks at maps"):
        asked(prompts(tmp_path, {"source": "grid", "side": 8}), {5: "dog"})


def test_maps_are_looked_at_as_the_header_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kits = list[LookingKit]()

    def opened(settings: Settings, kit: LookingKit, device: Any) -> Prompter:
        kits.append(kit)
        return Prompter(settings, kit)

    monkeypatch.setattr(shown_maps, "opened_prompter", opened)
    source = {"source": "clues", "maps": ["coarse", "cross"], "kernel": 9}
    seen = asked(prompts(tmp_path, {"source": "grid"}, source), {5: "dog", 9: "car"})
    assert list(seen) == ["coarse: dog", "coarse: car", "cross: highest of 2"]
    values = [own.max() for own in seen.values()]
    assert values == pytest.approx([0.1, 0.2, 0.75])  # columns by rising category_id
    assert (kits[0].fit.network, kits[0].seed, kits[0].propose.segmenter) == ("vit", 4, "sam")


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"model\.pt"):
        asked(prompts(tmp_path, {"source": "clues"}), {5: "dog"})
