"""The part of a photograph that shows one object: around all that is known of it."""

import numpy as np

from stages.reporting.image_trail import InstanceTrail

MARGIN = 1.15  # of the longer side
LEAST = 32.0  # px


def window_of(instance: InstanceTrail, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Around labels, proposals and result, square where the image allows: x0, y0, x1, y1 px.

    Parameters
    ----------
    shape : height and width of the photograph, px.
    """
    points = [[row["x"], row["y"]] * 2 for row in instance.labels if row["x"] is not None]
    rows = [*instance.labels, *instance.proposals, *([instance.result] if instance.result else [])]
    known = [*points, *(row["box"] for row in rows if row["box"] is not None)]
    boxes = np.array(known or [[0, 0, shape[1], shape[0]]])  # a tag alone is of the whole image
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    side = max(float((high - low).max()) * MARGIN, LEAST)
    middle = (low + high) / 2
    x0, y0 = (int(v) for v in np.maximum(middle - side / 2, 0))
    x1, y1 = (int(v) for v in np.minimum(middle + side / 2 + 1, (shape[1], shape[0])))
    return x0, y0, x1, y1
