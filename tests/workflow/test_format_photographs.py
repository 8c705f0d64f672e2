"""Photographs as people have them: turned by EXIF, of 12 bits, links that lead out of a folder."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stages.geometry.masks import rle_iou
from stages.photographs.reading import photograph_of_entry
from tests.drawn_objects import SIZES, Drawn, Split, drawn, pixels_of
from tests.label_files import coco, coco_of, fiftyone
from tests.workflow.label_runs import EXPORTED, annotations, below, keeps, settings
from tests.workflow.workspace import Workspace, new_workspace

pytestmark = pytest.mark.long

TURNED, DEEP = "grün.jpg", "b 2.png"  # of the drawn photographs; the latter becomes a TIFF
DEEP_NAME = "b 2.tif"
CLOCKWISE, ORIENTATION, LARGEST_SAMPLE = 6, 0x0112, 281
WHITE = 4095  # of 12 bits


def odd_photographs(folder: Path, objects: list[Drawn]) -> Split:
    """COCO labels of upright photographs, one stored lying on its side, one gray, of 12 bits."""
    split = coco(folder, objects)
    images = Path(split["images"])
    exif = Image.Exif()
    exif[ORIENTATION] = CLOCKWISE
    stored = np.ascontiguousarray(np.rot90(pixels_of(TURNED, objects)))
    Image.fromarray(stored).save(images / TURNED, exif=exif, quality=95)
    gray = pixels_of(DEEP, objects).max(axis=2).astype(np.uint16) * 16
    Image.fromarray(gray).save(images / DEEP_NAME, tiffinfo={LARGEST_SAMPLE: WHITE})
    (images / DEEP).unlink()
    write_renamed(folder / "labels.json", coco_of(objects))
    write_renamed(folder / "truth.json", coco_of(drawn("mask")))
    return split


def write_renamed(path: Path, data: dict[str, Any]) -> None:
    for image in data["images"]:
        image["file_name"] = image["file_name"].replace(DEEP, DEEP_NAME)
    path.write_text(json.dumps(data))


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, str, list[Drawn]]:
    """A run on them with a detector, what it said, and what is drawn, labelled in all ways."""
    workspace, objects = new_workspace(tmp_path_factory.mktemp("odd") / "repo"), drawn()
    train = below(odd_photographs(workspace.folder / "data", objects), workspace.folder)
    val = {**train, "annotations": "data/truth.json"}
    more = {"dataset": {"val": val}, "train": {"enabled": True}}
    workspace.configure(settings(train, more))
    outcome = workspace.snakemake()
    assert outcome.code == 0, outcome.text
    return workspace, outcome.text, objects


def test_prepare_says_what_it_turns_and_scales(odd: tuple[Workspace, str, list[Drawn]]) -> None:
    assert "1 photographs turned as their EXIF orientation says" in odd[1]
    assert "1 photographs of more than 8 bits, scaled by prepare.depth" in odd[1]


def test_masks_lie_where_the_objects_are(odd: tuple[Workspace, str, list[Drawn]]) -> None:
    workspace, _, objects = odd
    found = annotations(workspace.results())
    for (photograph, _, annotation), thing in zip(found, objects, strict=True):
        assert photograph.replace(DEEP_NAME, DEEP) == thing.photograph
        assert keeps(annotation, thing)
        code = annotation["segmentation"]
        rle = {**code, "counts": code["counts"].encode()}
        assert rle_iou([rle], [thing.rle])[0, 0] > 0.7, (photograph, thing)


def test_a_detector_sees_what_was_labelled(odd: tuple[Workspace, str, list[Drawn]]) -> None:
    workspace, _, objects = odd
    data = json.loads((workspace.results() / EXPORTED).read_text())
    sizes = {}
    for entry in data["images"]:
        name = entry["file_name"].replace(DEEP_NAME, DEEP)
        sizes[entry["id"]] = list(SIZES[name])
        seen = photograph_of_entry(workspace.folder / "data" / "photographs", entry)
        wanted = pixels_of(name, objects).astype(float)
        if name == DEEP:
            wanted = wanted.max(axis=2, keepdims=True)
        assert np.abs(seen - wanted).mean() < 12, name  # JPEG's noise
    path = workspace.results() / "sapnet/predict/torchvision/predictions.json"
    for prediction in json.loads(path.read_text()):
        assert prediction["segmentation"]["size"] == sizes[prediction["image_id"]]


def test_links_out_of_the_folder_are_followed_where_that_is_asked_for(fresh: Workspace) -> None:
    objects = drawn("box", "mask")
    split = fiftyone(fresh.folder / "data", objects)  # which can export links, as DVC makes them
    images, store = Path(split["images"]), fresh.folder / "store"
    store.mkdir()
    for number, path in enumerate(sorted(images.iterdir())):
        path.rename(store / f"{number:032x}")
        path.symlink_to(store / f"{number:032x}")
    train = below(split, fresh.folder)
    fresh.configure(settings(train))
    outcome = fresh.snakemake("--until", "prepare")
    assert outcome.code != 0
    assert "'a.png' is a link that leads outside the image folder" in outcome.text
    assert "Set dataset.follow_links: true" in outcome.text
    assert "Traceback" not in outcome.text
    fresh.configure(settings(train, {"dataset": {"follow_links": True}}))
    outcome = fresh.snakemake()
    assert outcome.code == 0, outcome.text
    found = annotations(fresh.results())
    assert all(keeps(row, thing) for (*_, row), thing in zip(found, objects, strict=True))
