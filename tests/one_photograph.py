"""A folder with one small photograph, a white square on black, and its row of table `images`."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stages.photographs.reading import digest_of


def written(folder: Path) -> Path:
    """The folder, once `a.png` of 60 x 100 px is in it."""
    pixels = np.zeros((60, 100, 3), np.uint8)
    pixels[20:40, 10:30] = 255
    Image.fromarray(pixels).save(folder / "a.png")
    return folder


def row_of(folder: Path) -> dict[str, Any]:
    """What of table `images` is read."""
    digest = digest_of((folder / "a.png").read_bytes())
    return {"image_id": 7, "file_name": "a.png", "digest": digest, "orientation": 1}
