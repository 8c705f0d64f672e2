"""Pixels that prototypes are made of: features of each class, image after image, of all shards."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from stages.learning.labelled import LABEL_COLUMNS, check_bags, labelled_bags
from stages.learning.teacher_pixels import (
    SELECTED_COLUMNS,
    SOFT_COLUMNS,
    Teacher,
    class_features,
    taught_objects,
)
from stages.photographs.reading import photograph
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.streams import Cursor, images_of_file, images_of_shards
from stages.tables.table import read_table, read_tables
from stages.tables.weak_labels import WEAK_LABELS


@dataclass(frozen=True, slots=True)
class PixelSources:
    """What is read, and what is known of it at once.

    Attributes
    ----------
    image_folder : of the photographs. weak_labels, proposals, selections : files; all shards.
    images : rows of table `images` by id.
    classes_of : classes of the objects of each image that has any, by id, rising.
    objects : how many there are.
    """

    image_folder: Path
    weak_labels: Path
    proposals: Sequence[Path]
    selections: Sequence[Path]
    images: Mapping[int, Mapping[str, Any]]
    classes_of: Mapping[int, frozenset[int]]
    objects: int


def opened_sources(args: argparse.Namespace) -> PixelSources:
    """The tables that the flags of fit_refine name.

    Raises
    ------
    ValueError : there is not one proposal, or labels and proposals do not add up.
    """
    proposals = read_tables(args.proposals, PROPOSALS, columns=("image_id", "bag_id"))
    if not len(proposals):
        raise ValueError(
            f"{args.proposals[0]}: there are no proposals to make prototypes of. Set "
            "prepare.labels: box, or give boxes, or set refine.method: as_it_is."
        )
    labels = read_table(args.weak_labels, WEAK_LABELS, columns=LABEL_COLUMNS)
    check_bags(proposals, labels, args.proposals[0].parent)
    images = {row["image_id"]: row for row in read_table(args.images, IMAGES).to_pylist()}
    files = args.image_folder, args.weak_labels, args.proposals, args.selections
    return PixelSources(*files, images, _classes_of(args.weak_labels), len(proposals))


def _classes_of(weak_labels: Path) -> dict[int, frozenset[int]]:
    found = dict[int, frozenset[int]]()
    for image_id, rows in images_of_file(weak_labels, WEAK_LABELS, columns=LABEL_COLUMNS):
        known = labelled_bags(rows)
        if known:
            found[image_id] = frozenset(one.category_id for one in known.values())
    return found


class PixelReader:
    """Features of the pixels of each class, one image after the other, along rising ids."""

    def __init__(self, sources: PixelSources, teacher: Callable[[], Teacher], *, sure: float):
        """`teacher` is called with the first image; sure : as in `class_features`."""
        self.sources, self.teacher, self.sure = sources, teacher, sure
        labels = images_of_file(sources.weak_labels, WEAK_LABELS, columns=LABEL_COLUMNS)
        self.labels = Cursor(labels)
        self.proposals = Cursor(
            images_of_shards(sources.proposals, PROPOSALS, columns=SOFT_COLUMNS)
        )
        self.selections = Cursor(
            images_of_shards(sources.selections, SELECTIONS, columns=SELECTED_COLUMNS)
        )

    def __call__(self, image_id: int) -> dict[int, np.ndarray]:
        """(n, D) features of length 1 by category_id, rising, of an image with objects."""
        image = self.sources.images[image_id]
        tables = [
            self._rows(cursor, image_id)
            for cursor in (self.labels, self.proposals, self.selections)
        ]
        objects = taught_objects(image, *tables)
        if not any((one.chances > self.sure).any() for one in objects):
            return {}
        teacher = self.teacher()
        teacher.embed(photograph(self.sources.image_folder, image))
        return class_features(objects, teacher, sure=self.sure)

    def _rows(self, cursor: Cursor, image_id: int) -> pa.Table:
        rows = cursor.rows(image_id)
        if rows is None:
            raise ValueError(
                f"image {image_id}: a table of propose or select lacks its rows "
                f"({self.sources.proposals[0].parent}). Remove the folder and run snakemake again."
            )
        return rows
