"""Pseudo-labels as COCO annotations: shapes, how sure they are, and where they came from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from stages.geometry.boxes import xyxy_to_xywh
from stages.geometry.masks import rle_areas, rle_of, written_rle
from stages.labels.chain import Transform, transformed
from stages.labels.pseudo_label import PseudoLabel, pseudo_label_of
from stages.labels.quality import quality_of

Row = dict[str, Any]


def annotations_of(
    rows: Sequence[Row],
    labels: Mapping[int, Row],
    ids: Sequence[int],
    *,
    extra_masks: int,
    transforms: Sequence[Transform] = (),
) -> tuple[list[Row], Counter[str]]:
    """COCO annotations of one image.

    Parameters
    ----------
    rows : of table `pseudo_labels`, (n,), graded where grades count.
    labels : of table `weak_labels`, by label_id.
    ids : (n,) of the annotations.
    extra_masks : at most so many runner-up masks each.
    transforms : what is done to the pseudo-labels first.

    Returns
    -------
    annotations : dicts in the order of `rows`, all but those that a transform leaves out.
    counts : written, untrusted (of those, the mask is not trained), emptied (of those, by a
        transform), dropped (not written) and boxed (a person gave their box).

    Raises
    ------
    ValueError : a pseudo-label rests on an unknown label.
    """
    found = {row["instance_id"]: (row, number) for row, number in zip(rows, ids, strict=True)}
    made = [pseudo_label_of(row) for row in rows]
    kept = transformed(made, transforms)
    entries = []
    for label in kept:
        row, number = found[label.instance_id]
        entry = annotation_of(label, row, _behind(row, labels), extra_masks=extra_masks)
        entries.append({"id": number, **entry})
    return entries, _counts(made, kept)


def _behind(row: Row, labels: Mapping[int, Row]) -> list[Row]:
    """The weak labels that a pseudo-label rests on, at least one."""
    strangers = sorted(set(row["label_ids"]) - labels.keys())
    if strangers or not row["label_ids"]:
        what = f"label {strangers[0]}, which its image has not" if strangers else "no label"
        raise ValueError(
            f"image {row['image_id']}: the pseudo-label of instance {row['instance_id']} rests on "
            f"{what}. The tables are of different runs: remove them and run snakemake again."
        )
    return [labels[number] for number in row["label_ids"]]


def _counts(made: Sequence[PseudoLabel], kept: Sequence[PseudoLabel]) -> Counter[str]:
    had_pixels = {label.instance_id for label in made if label.area}
    return Counter(
        written=len(kept),
        untrusted=sum(not label.mask_weight for label in kept),
        emptied=sum(not label.area and label.instance_id in had_pixels for label in kept),
        dropped=len(made) - len(kept),
        boxed=sum(label.given is not None for label in made),
    )


def annotation_of(
    label: PseudoLabel, row: Row, weak_labels: Sequence[Row], *, extra_masks: int
) -> Row:
    """One annotation, but for its id.

    Parameters
    ----------
    label : as the transforms leave it.
    row : of table `pseudo_labels`, as refine made it.
    weak_labels : rows of table `weak_labels` that it rests on, at least one.
    extra_masks : at most so many runner-up masks; transforms do not touch them.

    Returns
    -------
    COCO's keys with score, mask_weight, extra_masks, quality and provenance, and `ignore_mask`
    where there are pixels that no training looks at.
    """
    annotation = {
        "image_id": label.image_id,
        "category_id": row["category_id"],
        **shape_of(label),
        "iscrowd": 0,
        "score": label.score,
        "extra_masks": _extra(row, extra_masks),
        "quality": quality_of(label, row),
        "provenance": _provenance(row, weak_labels),
    }
    if label.ignored is not None:
        annotation["ignore_mask"] = written_rle(label.ignored)
    return annotation


def shape_of(label: PseudoLabel) -> Row:
    """Keys bbox, area, segmentation and mask_weight of an annotation, and why where that is 0.

    A trusted mask gives the area; and the box, unless a person gave one. Where the weight is 0,
    `bbox` is the box to train and `area` its area; `segmentation` is the mask all the same, with or
    without pixels, since readers of COCO stumble over annotations that lack it.
    """
    xywh = [round(float(value), 2) for value in xyxy_to_xywh(label.trained_box)]
    return {
        "bbox": xywh,
        "area": label.area if label.mask_weight else round(xywh[2] * xywh[3], 2),
        "segmentation": written_rle(label.rle),
        "mask_weight": label.mask_weight,
        **({} if label.untrusted is None else {"untrusted": label.untrusted}),
    }


def _extra(row: Row, count: int) -> list[Row]:
    rles = [rle_of(counts, row["height"], row["width"]) for counts in row["extra_rles"]]
    areas = rle_areas(rles)
    return [written_rle(rle) for rle, area in zip(rles, areas, strict=True) if area][:count]


def _provenance(row: Row, weak_labels: Sequence[Row]) -> Row:
    names = ("instance_id", "label_ids", "proposal_id", "box_given")
    return {**{name: row[name] for name in names}, "prompt": _prompt(row, weak_labels)}


def _prompt(row: Row, weak_labels: Sequence[Row]) -> Row:
    """What the mask answers: the label that is a mask where it was given, else the first other."""
    is_given = row["mask_source"] == "given"
    label = next(
        (label for label in weak_labels if (label["kind"] == "mask") == is_given), weak_labels[0]
    )
    point = None if label["x"] is None else _rounded([label["x"], label["y"]])
    box = None if label["box"] is None or is_given else _rounded(label["box"])
    return {"kind": label["kind"], "point": point, "box": box}


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 2) for value in values]
