"""Objects whose mask a person has given: a training learns from that mask, and is sure of it.

Such an object keeps the bag that its point or box has asked for. As a bag of one, the mask's box
teaches what the object looks like without a choice between proposals; a beginning of SAPNet's, not
in the paper, whose labels nobody has corrected.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import torch

from stages.geometry.masks import rle_boxes, rle_of
from stages.labels.by_instance import given_mask, labels_of_instances
from stages.learning.bag_index import Cut
from stages.learning.bags import ImageBags
from stages.tables.table import read_table, rows_by_image
from stages.tables.weak_labels import WEAK_LABELS

COLUMNS = ("image_id", "label_id", "kind", "category_id", "instance_id", "status", "rle")

Key = tuple[int, int]  # image_id, instance_id


@dataclass(frozen=True, slots=True)
class Certain:
    """A mask that is known: its box, xyxy px, and its class."""

    box: tuple[float, float, float, float]
    category_id: int


def known_masks(weak_labels: Path, images: pa.Table) -> dict[Key, Certain]:
    """What is certain, by image and object.

    Parameters
    ----------
    images : rows of that table, for their sizes.
    """
    labels = read_table(weak_labels, WEAK_LABELS, columns=COLUMNS)
    masks = labels.filter(pc.equal(labels.column("kind"), "mask"))
    columns = (images.column(name).to_pylist() for name in ("image_id", "height", "width"))
    sizes = {image_id: size for image_id, *size in zip(*columns, strict=True)}
    found = {}
    for image_id, own in rows_by_image(masks).items():
        for instance, rows in labels_of_instances(own).items():
            mask = given_mask(rows)
            hull = rle_boxes([rle_of(mask["rle"], *sizes[image_id])])[0].tolist()
            found[image_id, instance] = Certain(tuple(hull), mask["category_id"])
    return found


def certain_cut(cut: Cut, known: Mapping[Key, Certain]) -> Cut:
    """A cut after which bags of objects that are known hold one box, that of their mask."""

    def certain(
        image: Mapping[str, Any],
        labels: pa.Table,
        proposals: pa.Table,
        selections: pa.Table | None,
        order: Mapping[int, int],
    ) -> Any:
        bags: Any = cut(image, labels, proposals, selections, order)
        ids = (labels.column(name).to_pylist() for name in ("bag_id", "instance_id"))
        own = {bag: (image["image_id"], instance) for bag, instance in zip(*ids, strict=True)}
        return with_certain(
            bags, {bag: known[key] for bag, key in own.items() if key in known}, order
        )

    return certain


def with_certain(
    bags: ImageBags, known: Mapping[int, Certain], order: Mapping[int, int]
) -> ImageBags:
    """The bags of an image, those that are known as bags of one: chosen, and sure of their class.

    Parameters
    ----------
    known : by bag_id. order : index of each class, by category_id.
    """
    rows = [row for row, bag_id in enumerate(bags.bag_ids) if bag_id in known]
    if not rows:
        return bags
    masks = [known[bags.bag_ids[row]] for row in rows]
    first = torch.zeros(bags.valid.shape[1])
    first[0] = 1  # the slot of the mask; the others are padding

    def put(values: Any, new: Any) -> Any:
        """A copy with the rows of what is known in the place of the old ones."""
        if values is None:
            return None
        changed = values.clone()
        changed[rows] = torch.as_tensor(new).to(values.dtype)
        return changed

    return replace(
        bags,
        boxes=put(bags.boxes, torch.tensor([mask.box for mask in masks])[:, None] * first[:, None]),
        valid=put(bags.valid, first),
        quality=put(bags.quality, first),
        labels=put(bags.labels, [order[mask.category_id] for mask in masks]),
        lengths=put(bags.lengths, 1),
        chosen=put(bags.chosen, 0),
        bag_scores=put(bags.bag_scores, 1.0),
        guided_scores=put(bags.guided_scores, 1.0),
        scores=put(bags.scores, first),
    )
