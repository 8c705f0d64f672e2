"""What there is to label: images and weak labels by kind, of tables, of label files, or of scenes.

Arrays and rows in, counts out.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stages.formats.format import Label

ASKED = ("point", "box")  # kinds that ask for one object each


@dataclass(frozen=True, slots=True)
class Counts:
    """What is to be labelled.

    Attributes
    ----------
    images, held_out : photographs, of the latter those that score a detector.
    points, boxes, tags, masks : weak labels of each kind. objects : with a point or a box.
    asked : images with a point or a box. tagged : images with a tag.
    how : where the numbers are from, for the reader.
    """

    images: int
    held_out: int
    points: int
    boxes: int
    tags: int
    masks: int
    objects: int
    asked: int
    tagged: int
    how: str


def counted(
    labels: Iterable[tuple[int, str, int]], *, images: int, held_out: int, how: str
) -> Counts:
    """Counts of weak labels.

    Parameters
    ----------
    labels : (image_id, kind, bag_id) each, without deleted ones.
    """
    rows = list(labels)
    kinds = Counter(kind for _, kind, _ in rows)
    return Counts(
        images=images,
        held_out=held_out,
        points=kinds["point"],
        boxes=kinds["box"],
        tags=kinds["tag"],
        masks=kinds["mask"],
        objects=len({(image, bag) for image, kind, bag in rows if kind in ASKED}),
        asked=len({image for image, kind, _ in rows if kind in ASKED}),
        tagged=len({image for image, kind, _ in rows if kind == "tag"}),
        how=how,
    )


def weak_kinds(label: Label, labels: str) -> tuple[str, ...]:
    """The kinds of weak labels that `prepare` will make of a label.

    Parameters
    ----------
    labels : `prepare.labels`.

    Returns
    -------
    One kind, two of box_and_point; none where the label does not hold what is wanted.
    """
    if labels == "tag":
        return ("tag",)
    has_shape = label.mask is not None or label.box is not None
    if labels == "given":
        return (_given(label),)
    wanted = {"point": ("point",), "box": ("box",), "box_and_point": ("box", "point")}[labels]
    holds = {"point": label.point is not None or has_shape, "box": has_shape}
    return tuple(kind for kind in wanted if holds[kind])


def _given(label: Label) -> str:
    if label.mask is not None:
        return "mask"
    if label.box is not None:
        return "box"
    return "point" if label.point is not None else "tag"


def of_labels(labels: Sequence[Label], way: str) -> list[tuple[int, str, int]]:
    """(image_id, kind, bag_id) of what `prepare` will make of labels; a class is one tag an image.

    Parameters
    ----------
    way : `prepare.labels`.
    """
    rows = [
        (label.image_id, kind, number if kind in ASKED else -label.category_id)
        for number, label in enumerate(labels, start=1)
        for kind in weak_kinds(label, way)
    ]
    tags = dict.fromkeys(row for row in rows if row[1] == "tag")
    return [row for row in rows if row[1] != "tag"] + list(tags)


def scaled(counts: Counts, images: int, *, held_out: int, how: str) -> Counts:
    """The counts of a few images as those of so many more."""
    share = images / max(counts.images, 1)
    names = ("points", "boxes", "tags", "masks", "objects", "asked", "tagged")
    more = {name: round(getattr(counts, name) * share) for name in names}
    return Counts(images=images, held_out=held_out, how=how, **more)
