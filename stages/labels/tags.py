"""The tags of one image: the classes of which it holds something.

In come the weak labels of an image; out goes a label for each class that a tag names. A tag that a
person has deleted counts for nothing, and labels of other kinds are no tags: `prepare.labels: tag`
makes tags of them. WeakSAM, Sec. 3.1.
"""

import pyarrow as pa
import pyarrow.compute as pc


def tags_of(labels: pa.Table) -> dict[int, int]:
    """The tags of an image that count.

    Parameters
    ----------
    labels : rows of table `weak_labels` of one image, by label_id, with kind, status, category_id
        and label_id at least.

    Returns
    -------
    category_id to label_id, in order of the classes; of several tags of a class the first one.
    """
    is_tag = pc.equal(labels.column("kind"), "tag")
    living = labels.filter(pc.and_(is_tag, pc.not_equal(labels.column("status"), "deleted")))
    found: dict[int, int] = {}
    for row in living.select(["category_id", "label_id"]).to_pylist():
        found.setdefault(row["category_id"], row["label_id"])
    return dict(sorted(found.items()))
