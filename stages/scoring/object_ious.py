"""The IoU of each label's mask with its true object, collected for table `judged_objects`."""

from array import array
from collections.abc import Mapping, Sequence

import pyarrow as pa

from stages.tables.judged_objects import JUDGED_OBJECTS
from stages.tables.table import table_of


class ObjectIous:
    """Collects them image by image, 20 bytes an object."""

    def __init__(self) -> None:
        self.images, self.objects, self.ious = array("q"), array("q"), array("f")

    def add(self, image_id: int, found: Mapping[int, float]) -> None:
        """Take in an image; ids rise.

        Parameters
        ----------
        found : mask IoU by instance_id.
        """
        for instance_id, iou in sorted(found.items()):
            self.images.append(image_id)
            self.objects.append(instance_id)
            self.ious.append(iou)

    def table(self) -> pa.Table:
        """Rows of table `judged_objects`; none without ground truth."""
        columns: dict[str, Sequence[float]] = {
            **{"image_id": self.images, "instance_id": self.objects},
            "mask_iou": self.ious,
        }
        return table_of(JUDGED_OBJECTS, columns)
