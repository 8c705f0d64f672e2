"""The data set of the tests in each format: its format is told, and read are the objects drawn."""

from pathlib import Path

import numpy as np
import pytest

from stages.formats.format import FORMATS, Label
from stages.formats.mask_decoding import decoded_mask
from stages.formats.standing import in_px
from stages.formats.telling import format_of
from stages.geometry.masks import rles_to_masks
from stages.runtime.doors import opened
from stages.runtime.faults import Faults
from tests.drawn_objects import NAMES, SIZES, Drawn
from tests.label_files import FILES


def holds(label: Label, thing: Drawn) -> bool:
    """Whether a label says of an object what is drawn."""
    height, width = thing.size
    found = in_px(label, width, height)
    if thing.kind == "mask":
        pixels = rles_to_masks([decoded_mask(found.mask, height, width)])[0]
        return np.array_equal(pixels, thing.mask)
    values, wanted = {"point": (found.point, thing.point), "box": (found.box, thing.box)}[
        thing.kind
    ]
    return found.mask is None and values == pytest.approx(wanted)


@pytest.mark.parametrize("name", FILES)
def test_each_file_holds_what_is_drawn(name: str, tmp_path: Path) -> None:
    case = FILES[name]
    objects, split = case.written(tmp_path)
    source, images = Path(split["annotations"]), Path(split["images"])
    assert format_of(source) == case.format
    faults = Faults(source)
    reader = opened(FORMATS[case.format].module)
    found = reader.read(source, images, faults)
    faults.check()
    files = {image["id"]: image["file_name"] for image in found.images}
    names = {entry["id"]: entry["name"] for entry in found.categories}
    assert set(files.values()) == set(SIZES) - ({"nothing.png"} if case.format == "csv" else set())
    assert set(names.values()) == set(NAMES)
    order = {name: number for number, name in enumerate(SIZES)}
    labels = sorted(found.labels, key=lambda label: (order[files[label.image_id]], label.id))
    for label, thing in zip(labels, objects, strict=True):
        assert files[label.image_id] == thing.photograph
        assert names[label.category_id] == thing.name
        assert holds(label, thing), (label, thing)
