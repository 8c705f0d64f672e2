"""Where SIM's prototypes start: k-means++ on sampled pixels, then a few means of them.

Not in the paper, which starts from noise: of that, 0.999 per image leaves 92% after 80 images. Of
each class some images are drawn, of each of them some pixels, by (seed, class, image), so that
neither shards nor the order matter. The means deal the pixels of an image to prototypes as every
pass does (`stages.box_supervision.prototypes`).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from stages.box_supervision.prototypes import averaged, image_sums, seeded
from stages.runtime.randomness import Purpose, rng_of
from stages.settings.refiners.sim import Settings
from stages.tables.prototype_sums import PROTOTYPE_SUMS, sums_of, sums_row
from stages.tables.table import rows_table

IMAGES, PIXELS, STARTS = 0, 1, 2  # what is drawn for


def sampled_images(
    classes_of: Mapping[int, frozenset[int]], order: Sequence[int], settings: Settings, *, seed: int
) -> dict[int, tuple[int, ...]]:
    """Images that pixels are taken of, by rising id, each with the classes to take them of.

    Parameters
    ----------
    classes_of : of each image, by id. order : all classes.
    """
    having: dict[int, list[int]] = {category_id: [] for category_id in order}
    for image_id in sorted(classes_of):
        for category_id in classes_of[image_id]:
            having[category_id].append(image_id)
    wanted: dict[int, list[int]] = {}
    for place, category_id in enumerate(order):
        rng = rng_of(seed, Purpose.PROTOTYPES, IMAGES, place)
        for image_id in rng.permutation(having[category_id])[: settings.start.images].tolist():
            wanted.setdefault(int(image_id), []).append(category_id)
    return {image_id: tuple(wanted[image_id]) for image_id in sorted(wanted)}


def sampled(
    image_id: int, features: Mapping[int, np.ndarray], order: Sequence[int], *, most: int, seed: int
) -> pa.Table:
    """Rows of table `prototype_sums` of an image: some of its pixels, each a sum of its own.

    Parameters
    ----------
    features : (n, D) by category_id, rising. order : all classes. most : pixels of a class.
    """
    rows = []
    for category_id, found in features.items():
        rng = rng_of(seed, Purpose.PROTOTYPES, PIXELS, order.index(category_id), image_id)
        places = np.sort(rng.permutation(len(found))[:most])
        ones = np.ones(len(places), dtype=np.int32)
        rows.append(sums_row(image_id, category_id, found[places], ones))
    return rows_table(PROTOTYPE_SUMS, rows)


def started(
    table: pa.Table, order: Sequence[int], settings: Settings, *, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """The first prototypes, and how many of the pixels are of each.

    Parameters
    ----------
    table : rows of `sampled`. order : all classes.

    Returns
    -------
    (C, L, D) of length 1, or 0 where there are no pixels (D is 0 where there is none at all), and
    (C, L) counts of the last pass.
    """
    pixels: dict[int, list[np.ndarray]] = {category_id: [] for category_id in order}
    for category_id, features, _ in sums_of(table):
        pixels[category_id].append(features)
    size = next((part.shape[1] for parts in pixels.values() for part in parts), 0)
    shape = len(order), settings.prototypes, size
    vectors, counts = np.zeros(shape), np.zeros(shape[:2], dtype=np.int64)
    for place, category_id in enumerate(order):
        if pixels[category_id]:
            rng = rng_of(seed, Purpose.PROTOTYPES, STARTS, place)
            vectors[place], counts[place] = _started(pixels[category_id], settings, rng)
    return vectors, counts


def _started(
    parts: Sequence[np.ndarray], settings: Settings, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Prototypes of one class, of the pixels of some images."""
    vectors = seeded(np.concatenate(parts), settings.prototypes, rng)
    counts = np.zeros(len(vectors), dtype=np.int64)
    rule = {"epsilon": settings.sinkhorn.epsilon, "iterations": settings.sinkhorn.iterations}
    for _ in range(settings.start.passes):
        found = [image_sums(part, vectors, **rule) for part in parts]  # type: ignore[arg-type]
        sums, counts = (np.sum(each, axis=0) for each in zip(*found, strict=True))
        vectors = averaged(vectors, sums, counts)
    return vectors, counts
