"""How good a SAM checkpoint is on PartWorld scenes that nobody trained on, and how naive.

In goes a model, run by the stock `SamPredictor`; out go mean mask IoUs against whole objects.
Beside the best of three and the best of a bag of twelve stand the trivial choices: SAM's own
top-1, a random mask, each fixed slot, the largest and the median area. A selection method is worth
something only above all of those.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from segment_anything import SamPredictor
from segment_anything.modeling import Sam

from stages.partworld.classes import CLASSES
from stages.partworld.scenes import Instance, render_scene

SPLIT = "sam-heldout"
BOX_SCALE = 1.3

Masks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Trial:
    """One labelled object and the bag of its point.

    Attributes
    ----------
    instance : the object.
    ious : (12,) float, IoU of each mask of the bag with the object; the first three are the
        point's own slots.
    quality : (12,) float, SAM's predicted IoUs.
    areas : (12,) int, px^2.
    lure : (12,) bool: `local`, covers less than half of the object and lies 60 % inside it.
    """

    instance: Instance
    ious: NDArray[np.float64]
    quality: NDArray[np.float64]
    areas: NDArray[np.int64]
    lure: NDArray[np.bool_]


def mask_ious(masks: Masks, truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """IoU of (n, h, w) bool masks with one (h, w) mask: (n,) in [0, 1], 0 for two empty masks."""
    shared = (masks & truth).sum(axis=(1, 2))
    union = (masks | truth).sum(axis=(1, 2))
    return np.asarray(shared / np.maximum(union, 1), dtype=np.float64)


def widened_box(mask: NDArray[np.bool_], scale: float) -> NDArray[np.float64]:
    """(4,) xyxy box of a mask, half-open, `scale` times as wide and high, cut at the image.

    An empty mask gives the box of the whole image.
    """
    side = np.array(mask.shape[::-1], dtype=np.float64)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return np.concatenate([np.zeros(2), side])
    low = np.array([columns[0], rows[0]], dtype=np.float64)
    high = np.array([columns[-1], rows[-1]], dtype=np.float64) + 1
    centre, half = (low + high) / 2, (high - low) / 2 * scale
    return np.concatenate([np.maximum(centre - half, 0), np.minimum(centre + half, side)])


def _extra_points(
    mask: NDArray[np.bool_], point: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """(3, 2): the point itself and two random pixels of a mask (or itself again if it is empty)."""
    y, x = np.nonzero(mask)
    if len(x) == 0:
        return np.repeat(point, 3, axis=0)
    chosen = rng.integers(len(x), size=2)
    return np.concatenate([point, np.stack([x[chosen], y[chosen]], axis=1) + 0.5])


def bag_of_twelve(
    predictor: SamPredictor, point: NDArray[np.float64], rng: np.random.Generator
) -> tuple[Masks, NDArray[np.float64]]:
    """The masks one point leads to: 3 of its own, 3 + 3 with extra points, 3 from boxes.

    Parameters
    ----------
    predictor : with its image set.
    point : (1, 2) float x, y px.
    rng : draws the two extra points inside the largest, then inside the middle mask.

    Returns
    -------
    (12, h, w) bool masks and (12,) float predicted IoUs.
    """
    masks, quality, _ = predictor.predict(point, np.ones(1))
    found, scores = [masks], [quality]
    by_area = np.argsort(masks.sum(axis=(1, 2)))
    for which in (2, 1):
        points = _extra_points(masks[by_area[which]], point, rng)
        more, more_quality, _ = predictor.predict(points, np.ones(len(points)))
        found.append(more)
        scores.append(more_quality)
    for mask in masks:
        box = widened_box(mask, BOX_SCALE)
        more, more_quality, _ = predictor.predict(box=box, multimask_output=False)
        found.append(more)
        scores.append(more_quality)
    return np.concatenate(found), np.concatenate(scores).astype(np.float64)


def _is_local(masks: Masks, truth: NDArray[np.bool_]) -> NDArray[np.bool_]:
    shared, area = (masks & truth).sum(axis=(1, 2)), masks.sum(axis=(1, 2))
    local: NDArray[np.bool_] = (shared < 0.5 * truth.sum()) & (shared > 0.6 * area)
    return local


def run_trials(sam: Sam, seed: int, n_scenes: int) -> list[Trial]:
    """Ask the model about every labelled, non-crowd object of `n_scenes` held-out scenes.

    Parameters
    ----------
    sam : the model, in eval mode.
    seed : >= 0, picks the scenes and the points (uniform in the visible mask).
    n_scenes : >= 1.

    Returns
    -------
    One trial per object, in scene order.
    """
    predictor, trials = SamPredictor(sam), []
    for index in range(n_scenes):
        scene = render_scene(seed, SPLIT, index)
        rng = np.random.default_rng([seed, 78, index])
        predictor.set_image(scene.image)
        for instance in scene.instances:
            truth = scene.mask(instance)
            y, x = np.nonzero(truth)
            pick = rng.integers(len(x))
            if instance.is_crowd:
                continue
            point = np.array([[x[pick], y[pick]]]) + 0.5
            masks, quality = bag_of_twelve(predictor, point, rng)
            ious = mask_ious(masks, truth)
            trials.append(
                Trial(instance, ious, quality, masks.sum(axis=(1, 2)), _is_local(masks, truth))
            )
    return trials


def _median_index(areas: NDArray[np.int64]) -> int:
    return int(np.argsort(areas, kind="stable")[len(areas) // 2])


def summarise(trials: list[Trial]) -> dict[str, float]:
    """Mean IoU with the whole object under each way of choosing.

    Parameters
    ----------
    trials : at least one.

    Returns
    -------
    Name to mean IoU in [0, 1]; `best_slot_k` and `top1_local` are shares of the trials instead.
    """
    table: dict[str, list[float]] = defaultdict(list)
    for trial in trials:
        three = trial.ious[:3]
        top = int(trial.quality[:3].argmax())
        table["best_of_3"].append(three.max())
        table["best_of_12"].append(trial.ious.max())
        table["top1_of_3"].append(three[top])
        table["top1_of_12"].append(trial.ious[trial.quality.argmax()])
        table["random_of_3"].append(three.mean())
        table["random_of_12"].append(trial.ious.mean())
        for slot in range(3):
            table[f"slot_{slot + 1}"].append(three[slot])
            table[f"best_slot_{slot + 1}"].append(float(three.argmax() == slot))
        for count in (3, 12):
            areas = trial.areas[:count]
            table[f"largest_of_{count}"].append(trial.ious[areas.argmax()])
            table[f"median_area_of_{count}"].append(trial.ious[_median_index(areas)])
        table["top1_local"].append(float(trial.lure[top]))
    return {name: round(float(np.mean(values)), 4) for name, values in table.items()}


def breakdown(trials: list[Trial]) -> dict[str, dict[str, float]]:
    """`summarise` for each class and each difficulty that occurs, plus the number of objects."""
    groups: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        groups[CLASSES[trial.instance.category_id - 1].name].append(trial)
        groups[trial.instance.difficulty].append(trial)
    order = [c.name for c in CLASSES] + ["single", "part", "group", "occluded"]
    return {
        name: {"objects": len(groups[name])} | summarise(groups[name])
        for name in order
        if groups[name]
    }


@torch.inference_mode()
def score(sam: Sam, seed: int, n_scenes: int) -> dict[str, object]:
    """Everything the card says about quality.

    Parameters
    ----------
    sam : the model, in eval mode.
    seed : >= 0.
    n_scenes : >= 1.

    Returns
    -------
    JSON-ready dict: split, seed, scenes, objects, overall (`summarise`) and by_group (`breakdown`).
    """
    trials = run_trials(sam, seed, n_scenes)
    return {
        "split": SPLIT,
        "seed": seed,
        "scenes": n_scenes,
        "objects": len(trials),
        "overall": summarise(trials),
        "by_group": breakdown(trials),
    }
