"""The door to the label formats that people have: each is read, written, or both."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from stages.runtime.doors import Method

FORMATS = {  # by dataset.train.format
    "coco": Method("stages.formats.coco"),
}


@dataclass(frozen=True, slots=True)
class Annotated:
    """What a file of labels holds, sorted by id and known to be consistent.

    images : {id, file_name, height, width} each. annotations : one object or tag each, with id,
    image_id, category_id and what else the file has. categories : {id, name, ...} each.
    """

    images: Sequence[dict[str, Any]]
    annotations: Sequence[dict[str, Any]]
    categories: Sequence[dict[str, Any]]


class Format(Protocol):
    """One way to write labels down; a module of `stages.formats` has these names."""

    def read(self, path: Path, *, annotated: bool = True) -> Annotated:
        """The labels of a file.

        Parameters
        ----------
        annotated : False leaves the annotations out, whatever they are.

        Raises
        ------
        ValueError : the file is missing or faulty; names the file, the entry and the remedy.
        """
