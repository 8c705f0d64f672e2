"""Labels put together from files that have no ids of their own.

An image's id is 52 bits of a hash of its path, a label's its number within the image, from 1 on,
since COCO's scorers take an object of id 0 for none; classes are numbered from 1 in the order of
their names. One row or photograph more shifts nothing else.
Standard library alone.
"""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from stages.formats.format import Label, Labelled
from stages.formats.values import text
from stages.runtime.faults import Faults

ID_BITS = 52  # a JavaScript reader of JSON holds 53


def image_id_of(file_name: str) -> int:
    r"""Id of the image of that path, the same for `a/b.png`, `./a/b.png` and `a\b.png`."""
    digest = hashlib.sha256(_path(file_name).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - ID_BITS)


class Assembly:
    """Takes images and labels in the order of the file, and makes `Labelled` of them."""

    def __init__(self, faults: Faults):
        self.faults = faults
        self.left_out = Counter[str]()
        self.told = Counter[str]()
        self._images: dict[int, dict[str, Any]] = {}
        self._labels: list[tuple[int, str, dict[str, Any]]] = []

    def image(self, file_name: str, *, height: int | None = None, width: int | None = None) -> int:
        """Id of the image of that name, which may be there already.

        Raises
        ------
        ValueError : it is no text that can be written, it was there with another size, or another
            name has the same id.
        """
        try:
            text(file_name)
        except ValueError as error:
            raise ValueError(f"the name of its photograph, {error}. Correct it.") from None
        number = image_id_of(file_name)
        entry = {"id": number, "file_name": file_name, "height": height, "width": width}
        known = self._images.setdefault(number, entry)
        if _path(known["file_name"]) != _path(file_name):
            raise ValueError(
                f"the names {known['file_name']} and {file_name} have the same id. Rename one."
            )
        if known["height"] is None:
            known.update(height=height, width=width)
        if height is not None and (known["height"], known["width"]) != (height, width):
            raise ValueError(
                f"image {file_name} is of {width} x {height} px here, and of {known['width']} x "
                f"{known['height']} px before. Correct one of them."
            )
        return number

    def label(self, image_id: int, category: str | int, **values: Any) -> None:
        """One more label: of a class by its name, or by its id where `labelled` is given the names.

        Parameters
        ----------
        values : attributes of `Label`.
        """
        self._labels.append((image_id, str(category), values))

    def labelled(self, names: Mapping[int, str] | None = None) -> Labelled:
        """All that was taken.

        Parameters
        ----------
        names : of the classes by id, where the file numbers them; else they are numbered here.
        """
        if names is None:
            classes = sorted({category for _, category, _ in self._labels})
            ids = {name: number for number, name in enumerate(classes, start=1)}
            categories = [{"id": number, "name": name} for name, number in ids.items()]
        else:
            ids = {str(number): number for number in names}
            categories = [{"id": number, "name": names[number]} for number in sorted(names)]
        count = Counter[int]()
        labels = []
        for image_id, category, values in self._labels:
            count[image_id] += 1
            labels.append(Label(count[image_id], image_id, ids[category], **values))
        return Labelled(
            images=[self._images[number] for number in sorted(self._images)],
            labels=sorted(labels, key=lambda label: (label.image_id, label.id)),
            categories=categories,
            left_out=self.left_out,
            told=self.told,
            has_ids=False,
        )


def _path(file_name: str) -> str:
    """One form for all ways to write a path."""
    path = PurePosixPath(file_name.replace("\\", "/"))
    return unicodedata.normalize("NFC", str(path))
