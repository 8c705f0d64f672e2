"""The card of a label: a picture with outlines, what it was made of, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from stages.geometry.masks import Rle, rle_areas, rle_of, rles_to_masks
from stages.reporting.image_trail import InstanceTrail
from stages.reporting.page.svg_paths import Window, path_of, picture_size, shown_points
from stages.reporting.tag_trail import Row
from stages.reporting.trail_text import (
    grade_text,
    label_text,
    prompt_text,
    reasons_text,
    result_text,
    step_text,
)
from stages.reporting.windows import window_of

JPEG_QUALITY = 82
KINDS = ("mask", "box", "point", "tag")  # what a person gave, the most telling first
SCORES = ("score_cls", "score_ins", "score_dis", "score")


@dataclass(frozen=True, slots=True)
class Card:
    """One label as the page has it.

    Attributes
    ----------
    front : what the page filters, sorts and draws; JSON-able, short keys: see `front_of`.
    back : proposals and steps, which are fetched when the card is opened; JSON-able.
    picture : a JPEG file.
    """

    front: dict[str, Any]
    back: dict[str, Any]
    picture: bytes


def card_of(
    instance: InstanceTrail,
    image: Mapping[str, Any],
    pixels: np.ndarray,
    *,
    side: int,
    iou: float | None,
) -> Card:
    """The card of an object that has a pseudo-label.

    Parameters
    ----------
    image : row of table `images`. pixels : (height, width, 3) uint8, its photograph.
    side : px of the picture's longer side. iou : mask IoU with the true object, where it is known.
    """
    assert instance.result is not None
    window = window_of(instance, pixels.shape)
    size = picture_size(window, side)
    outlines = _outlines([instance.result, *instance.proposals], window, size)
    front = front_of(instance, image, outlines[0], window, size) | {"u": iou}
    return Card(front, back_of(instance, image, outlines[1:]), _jpeg(pixels, window, size))


def front_of(
    instance: InstanceTrail,
    image: Mapping[str, Any],
    outline: str,
    window: Window,
    size: tuple[int, int],
) -> dict[str, Any]:
    """What is shown of a label before it is opened.

    Returns
    -------
    i, n : ids of image and object. f : file name. c : class. k : kind of its labels. s : source of
    the mask. t : status of its labels, where one is not as it was given. p : score. q : quality.
    r : what speaks against it, in words.
    a : share of the image. w, h : of the picture, px. m : outline. d : points. b : given box, xyxy.
    """
    result = instance.result
    assert result is not None
    verdict = instance.grade or result
    points = [(row["x"], row["y"]) for row in instance.labels if row["x"] is not None]
    boxes = [row["box"] for row in instance.labels if row["kind"] == "box"]
    corners = [shown_points([box[:2], box[2:]], window, size) for box in boxes[:1]]
    return {
        "i": result["image_id"],
        "n": result["instance_id"],
        "f": image["file_name"],
        "c": instance.category,
        "k": kind_of(instance.labels),
        "s": result["mask_source"],
        "t": _status(instance.labels),
        "p": round(verdict["score"], 4),
        "q": round(verdict["mask_quality"], 4),
        "r": reasons_text(instance.grade),
        "a": round(_area(result) / (result["height"] * result["width"]), 5),
        "w": size[0],
        "h": size[1],
        "m": outline,
        "d": shown_points(points, window, size),
        "b": [[*low, *high] for low, high in corners],
    }


def back_of(
    instance: InstanceTrail, image: Mapping[str, Any], outlines: Sequence[str]
) -> dict[str, Any]:
    """The trail of a label: its own labels, each proposal with scores and outline, the steps."""
    result = instance.result
    assert result is not None
    return {
        "labels": [label_text(label, dict(image)) for label in instance.labels],
        "proposals": [
            _proposal(row, instance, outline)
            for row, outline in zip(instance.proposals, outlines, strict=True)
        ],
        "steps": [step_text(row).strip() for row in instance.steps],
        "result": result_text(result).strip(),
        "grade": grade_text(instance.grade).strip() if instance.grade else "",
    }


def kind_of(labels: Sequence[Row]) -> str:
    """The most telling kind of what a person gave; "none" without labels."""
    kinds = {label["kind"] for label in labels}
    return next((kind for kind in KINDS if kind in kinds), "none")


def _status(labels: Sequence[Row]) -> str:
    return next((str(row["status"]) for row in labels if row["status"] != "given"), "given")


def _proposal(row: Row, instance: InstanceTrail, outline: str) -> dict[str, Any]:
    number = row["proposal_id"]
    score = instance.scores.get(number)
    mark = "chosen" if number == instance.chosen() else ""
    return {
        "id": number,
        "prompt": prompt_text(row),
        "slot": row["mask_index"],
        "iou": round(row["predicted_iou"], 3),
        "stable": round(row["stability"], 3),
        "area": row["area"],
        "scores": [_rounded(score[key]) for key in SCORES] if score else [],
        "mark": mark or ("selected" if number == instance.selected() else ""),
        "m": outline,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _rle(row: Row) -> Rle:
    return rle_of(row["rle"], row["height"], row["width"])


def _area(row: Row) -> int:
    return int(rle_areas([_rle(row)])[0])


def _outlines(rows: Sequence[Row], window: Window, size: tuple[int, int]) -> list[str]:
    """Of each row's mask, one after the other: a bag of large photographs is large."""
    return [path_of(rles_to_masks([_rle(row)])[0], window, size) for row in rows]


def _jpeg(pixels: np.ndarray, window: Window, size: tuple[int, int]) -> bytes:
    x0, y0, x1, y1 = window
    shrinks = size[0] < x1 - x0
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    shown = cv2.resize(np.ascontiguousarray(pixels[y0:y1, x0:x1, ::-1]), size, interpolation=how)
    done, data = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert done
    return data.tobytes()
