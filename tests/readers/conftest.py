"""What `make readers` reads: the small file of pseudo-labels in every format, with photographs."""

from pathlib import Path

import pytest
from PIL import Image

from stages.convert import main
from stages.formats.writer import WRITERS
from tests.written_labels import IMAGES, usual, write_labels

FROM_ONE = {"coco_rle_from_one": "coco_rle", "coco_polygons_from_one": "coco_polygons"}


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a folder for each format, two more with other ids, and `images`."""
    folder = tmp_path_factory.mktemp("written")
    labels = write_labels(folder, usual())
    for name in (*WRITERS, *FROM_ONE):
        ids = "from_one" if name in FROM_ONE else "keep"
        out, format_ = folder / name, FROM_ONE.get(name, name)
        arguments = {"labels": labels, "out": out, "format": format_, "category-ids": ids}
        main([f"--{key}={value}" for key, value in arguments.items()])
    for image in IMAGES:
        path = folder / "images" / image["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (image["width"], image["height"]), (90, 120, 60)).save(path)
    (folder / "yolo" / "images").symlink_to(folder / "images")
    return folder
