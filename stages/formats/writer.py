"""The door to the formats that pseudo-labels are written in; behind each name stands a module.

In comes the file that `export` has written (`stages.formats.pseudo_label_file`), out goes a folder.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from stages.runtime.doors import Method

if TYPE_CHECKING:
    from stages.formats.pseudo_label_file import PseudoLabelFile

WRITERS = {  # by export.formats, and by the name of the folder
    "coco_rle": Method("stages.formats.coco_rle_writing"),
    "coco_polygons": Method("stages.formats.coco_polygons_writing"),
    "voc": Method("stages.formats.voc_writing"),
    "yolo": Method("stages.formats.yolo_writing"),
    "labelme": Method("stages.formats.labelme_writing"),
}
KEEP, FROM_ONE = CATEGORY_IDS = ("keep", "from_one")
NUMBERED = ("coco_rle", "coco_polygons")  # that hold the ids of classes
Counts = dict[str, int | float]  # what was written and what the format cannot hold, for the log


class Writer(Protocol):
    """One way to write pseudo-labels down; a module of `stages.formats` has this name.

    Images and classes may be held in memory; annotations are read one image at a time, or singly.
    """

    def write(self, labels: "PseudoLabelFile", folder: Path) -> Counts:
        """Write all labels into a folder, which is there and empty.

        Returns
        -------
        Counts in the order in which people read them; what is lost is among them.

        Raises
        ------
        ValueError : a name or a number of classes that the format cannot hold.
        """
