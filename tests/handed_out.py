"""Pseudo-labels that are handed out to people: a file as export writes it, with its photographs."""

from pathlib import Path
from typing import Any

from PIL import Image

from tests.written_labels import IMAGES, MASKS, SIZE, Entry, annotation, write_labels

QUALITIES = {11: 0.9, 12: 0.2, 13: 0.5, 21: 0.7}
REASONS = {12: ["spread", "pieces"]}


def graded(number: int, image: int, **more: Any) -> Entry:
    """An annotation with its grades; that of object 12 is the most doubtful."""
    quality = {"mask_quality": QUALITIES.get(number, 0.8), "mask_source": "vote", "box_fit": 1.0}
    quality |= {"reasons": REASONS.get(number, []), "method_score": 0.5}
    mask = MASKS[number % len(MASKS)]
    return annotation(number, image, mask, **{"quality": quality, **more})


def usual() -> list[Entry]:
    """Three labels of the first image, one of the last."""
    return [graded(11, 4), graded(12, 4, category_id=3), graded(13, 4), graded(21, 7)]


def handed_out(folder: Path, entries: list[Entry] | None = None) -> Path:
    """The file, beside a folder `photographs` of its images."""
    folder.mkdir(parents=True, exist_ok=True)
    for image in IMAGES:
        path = folder / "photographs" / str(image["file_name"])
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (SIZE[1], SIZE[0])).save(path)
    return write_labels(folder, usual() if entries is None else entries)
