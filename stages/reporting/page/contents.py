"""What a page shows of a run's tables: all labels counted, some of them as cards.

The tables are walked over twice: for the counts, which need a few columns, and for the cards, whose
images are read one after the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.labels.graded import graded
from stages.photographs.reading import photograph
from stages.reporting.image_trail import trail_of
from stages.reporting.page.cards import Card, card_of, kind_of
from stages.reporting.page.overview import Labelled, Overview
from stages.reporting.page.ranking import shown_labels
from stages.reporting.trail_tables import TrailTables
from stages.tables.categories import CATEGORIES
from stages.tables.grades import GRADES
from stages.tables.judged_objects import JUDGED_OBJECTS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.streams import Cursor, images_of_shards
from stages.tables.table import read_table, rows_by_image
from stages.tables.weak_labels import WEAK_LABELS

Ious = Mapping[tuple[int, int], float]
COUNTED = ("instance_id", "label_ids", "category_id", "score", "mask_quality", "mask_source")
VERDICT = ("score", "mask_quality", "reasons")


@dataclass(frozen=True, slots=True)
class Counted:
    """All pseudo-labels of a run, as far as they are counted and ranked.

    overview : their counts. classes : how many there are. ids : (n, 2) image and object. quality,
    score : (n,) 0 to 1.
    """

    overview: Overview
    classes: int
    ids: np.ndarray
    quality: np.ndarray
    score: np.ndarray

    def shown(self, most: int) -> dict[int, list[int]]:
        """The objects that get a card, by image; the lower the quality the more doubtful."""
        found: dict[int, list[int]] = {}
        for image_id, instance_id in self.ids[shown_labels(-self.quality, most)].tolist():
            found.setdefault(image_id, []).append(instance_id)
        return found


def counted(tables: TrailTables, ious: Ious) -> Counted:
    """Walk over all pseudo-labels.

    Parameters
    ----------
    ious : mask IoU with the true object by image and object, as far as they are known.
    """
    overview = Overview()
    ids, numbers = [], []
    names = {
        row["category_id"]: row["name"]
        for row in read_table(tables.categories, CATEGORIES).to_pylist()
    }
    labels = rows_by_image(read_table(tables.weak_labels, WEAK_LABELS))
    grades = Cursor(images_of_shards(tables.grades, GRADES, columns=VERDICT))
    for image_id, rows in images_of_shards(tables.pseudo_labels, PSEUDO_LABELS, columns=COUNTED):
        weak = labels[image_id].to_pylist() if image_id in labels else []
        verdicts = grades.rows(image_id)
        for row in graded(rows.to_pylist(), [] if verdicts is None else verdicts.to_pylist()):
            rests = [label for label in weak if label["label_id"] in row["label_ids"]]
            key = image_id, row["instance_id"]
            overview.add(
                Labelled(
                    names[row["category_id"]],
                    kind_of(rests),
                    row["mask_source"],
                    row["score"],
                    row["mask_quality"],
                    ious.get(key),
                )
            )
            ids.append(key)
            numbers.append((row["mask_quality"], row["score"]))
    values = np.array(numbers, dtype=np.float32).reshape(-1, 2)
    return Counted(
        overview, len(names), np.array(ids, np.int64).reshape(-1, 2), values[:, 0], values[:, 1]
    )


def known_ious(path: Path | None) -> dict[tuple[int, int], float]:
    """What evaluate knows of each object; nothing without its table."""
    if path is None:
        return {}
    columns = read_table(path, JUDGED_OBJECTS).to_pydict()
    keys = zip(columns["image_id"], columns["instance_id"], strict=True)
    return dict(zip(keys, columns["mask_iou"], strict=True))


def cards(
    tables: TrailTables,
    shown: Mapping[int, Sequence[int]],
    image_folder: Path,
    *,
    side: int,
    ious: Ious,
) -> Iterator[Card]:
    """Yield the cards, image by image; one photograph is held at a time.

    Parameters
    ----------
    shown : objects by image. side : px of the longer side of a picture.
    """
    for image_id, wanted in sorted(shown.items()):
        trail = trail_of(tables, image_id)
        pixels = photograph(image_folder, trail.image)
        for instance in trail.instances:
            if instance.instance_id in wanted:
                iou = ious.get((image_id, instance.instance_id))
                known = None if iou is None else round(iou, 4)
                yield card_of(instance, trail.image, pixels, side=side, iou=known)
