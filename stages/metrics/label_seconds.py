"""What labels cost a person, in seconds, by how many of each kind there are. Pure.

Bearman et al. ("What's the Point", ECCV 2016) count so: whether a class is in an image is asked for
each class; where objects of it are labelled, the first of them answers that as well. Of VOC's 20
classes 1.5 are in an image, so that 18.5 are asked for: 22.1 s with a point at each class that is
there (18.5 + 1.5 x 2.4), 239.7 s with 2.8 outlines of 79 s. All kinds of labels are counted alike
here, so that boxes (Papadopoulos et al., ICCV 2017) and COCO's masks (Lin et al., ECCV 2014) are
free of the question about their class, too.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

OF_OBJECTS = ("point", "box", "mask")  # kinds of labels that are about one object each
COUNTED = ("tag", "first_point", "point", "box", "mask")  # what seconds are given for
Label = tuple[int, int, str]  # image_id, category_id, kind


def label_counts(labels: Iterable[Label], *, images: int, classes: int) -> dict[str, int]:
    """How often a person has done each of COUNTED.

    Parameters
    ----------
    labels : all of a data set. images, classes : of the data set, labelled or not.

    Returns
    -------
    tag: questions whether a class is in an image; first_point: classes of an image with a point;
    point: further points; box, mask: labels of that kind.

    Raises
    ------
    ValueError : more classes are labelled in the images than they have.
    """
    rows = [label for label in labels if label[2] in OF_OBJECTS]
    kinds = Counter(kind for _, _, kind in rows)
    pairs = {(image, category) for image, category, _ in rows}
    pointed = {(image, category) for image, category, kind in rows if kind == "point"}
    if len(pairs) > images * classes:
        raise ValueError(
            f"{len(pairs)} classes are labelled in {images} images, but there are {classes} "
            "classes. The tables are of different runs: rerun prepare."
        )
    return {
        "tag": images * classes - len(pairs),
        "first_point": len(pointed),
        "point": kinds["point"] - len(pointed),
        **{kind: kinds[kind] for kind in ("box", "mask")},
    }


def outline_counts(
    labels: Iterable[Label], masks: int, *, images: int, classes: int
) -> dict[str, int]:
    """The same where a person has outlined all objects, whatever the labels are.

    Parameters
    ----------
    labels : that tell which classes are in which image. masks : how many objects were outlined.
    """
    pairs = {(image, category) for image, category, _ in labels}
    outlined = [(image, category, "mask") for image, category in pairs]
    return {**label_counts(outlined, images=images, classes=classes), "mask": masks}


def seconds_of(counts: Mapping[str, int], seconds: Mapping[str, float], *, images: int) -> float:
    """Seconds per image; counts : as `label_counts`, seconds : of each of COUNTED, >= 0."""
    return sum(counts[name] * seconds[name] for name in COUNTED) / images
