"""What a pass over all images does to SIM's prototypes, from what each image said of them.

SIM (CVPR 2023), Eq. 4 and 5. `vectors` are prototypes, (C, L, D) of length 1 or 0; `order` are the
ids of the C classes; `table` holds rows of `prototype_sums` by rising image_id.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.box_supervision.prototypes import averaged, moved
from stages.box_supervision.semantic_map import is_filled
from stages.tables.prototype_sums import sums_of

DIGITS = 6  # of numbers in the log


def replayed(
    table: pa.Table, vectors: np.ndarray, order: Sequence[int], *, gamma: float
) -> tuple[np.ndarray, np.ndarray]:
    """Prototypes moved by one image after the other, as by Eq. 4, and the pixels of each.

    Parameters
    ----------
    table : rows of `prototype_sums`, by rising image_id. vectors : (C, L, D). order : (C,) classes.
    """
    after, counts = vectors.copy(), np.zeros(vectors.shape[:2], dtype=np.int64)
    place_of = {category_id: place for place, category_id in enumerate(order)}
    for category_id, sums, mine in sums_of(table):
        place = place_of[category_id]
        after[place] = moved(after[place], sums, mine, gamma=gamma)
        counts[place] += mine
    return after, counts


def moved_to_means(
    table: pa.Table, vectors: np.ndarray, order: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Prototypes as the mean of their pixels of all images, and how many these are."""
    sums, counts = np.zeros(vectors.shape), np.zeros(vectors.shape[:2], dtype=np.int64)
    place_of = {category_id: place for place, category_id in enumerate(order)}
    for category_id, of_image, mine in sums_of(table):
        sums[place_of[category_id]] += of_image
        counts[place_of[category_id]] += mine
    after = [averaged(*each) for each in zip(vectors, sums, counts, strict=True)]
    return np.array(after).reshape(vectors.shape), counts


def likeness(table: pa.Table, vectors: np.ndarray, order: Sequence[int]) -> float:
    """Mean cosine of the pixels with the prototypes that they were dealt to; 0 for no pixel."""
    place_of = {category_id: place for place, category_id in enumerate(order)}
    total, pixels = 0.0, 0
    for category_id, sums, mine in sums_of(table):
        total += float((sums * vectors[place_of[category_id]]).sum())
        pixels += int(mine.sum())
    return round(total / max(pixels, 1), DIGITS)


def distance(before: np.ndarray, after: np.ndarray) -> float:
    """Mean of 1 - cosine between prototypes before and after a pass, of those that there are."""
    known = is_filled(before)
    cosines = (before * after).sum(axis=-1)[known]
    return round(float((1 - cosines).mean()), DIGITS) if len(cosines) else 0.0


def seen_in(table: pa.Table, counts: np.ndarray) -> dict[str, int]:
    """How many images, classes and pixels a pass saw, and how many prototypes have pixels.

    Parameters
    ----------
    counts : (C, L) pixels of each prototype.
    """
    ids = {name: len(table.column(name).unique()) for name in ("image_id", "category_id")}
    pixels = int(pc.sum(pc.list_flatten(table.column("counts"))).as_py() or 0)
    used = int((counts > 0).sum())
    seen = {"images": ids["image_id"], "classes": ids["category_id"]}
    return {**seen, "pixels": pixels, "prototypes": used}
