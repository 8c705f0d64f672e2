"""Sets of keys such as (image_id, bag_id), as arrays: a shard may have a hundred thousand."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa


class Keys:
    """Distinct tuples of whole numbers, rising: what sets of tuples do here, at 8 bytes a number.

    Parameters
    ----------
    rows : (n, k) int64, in any order.
    """

    def __init__(self, rows: np.ndarray):
        rising = rows[np.lexsort(rows.T[::-1])]  # np.unique(axis=0) takes much longer
        differs = (rising[1:] != rising[:-1]).any(axis=1)
        self.rows = rising[np.concatenate([[True], differs])] if len(rows) else rising

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        return (tuple(row.tolist()) for row in self.rows)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Keys) and np.array_equal(self.rows, other.rows)

    __hash__ = None  # type: ignore[assignment]

    def __or__(self, other: "Keys") -> "Keys":
        return joined([self, other])

    def __sub__(self, other: "Keys") -> "Keys":
        both, owner = np.unique(np.concatenate([other.rows, self.rows]), axis=0, return_index=True)
        return Keys(both[owner >= len(other)])

    def of_images(self, image_ids: Iterable[int]) -> "Keys":
        """The keys whose first number is among `image_ids`."""
        wanted = np.fromiter(image_ids, dtype=np.int64)
        return Keys(self.rows[np.isin(self.rows[:, 0], wanted)])


def keys_of(rows: pa.Table, *names: str) -> Keys:
    """Distinct (image_id, value of each column in `names`) of rows.

    Raises
    ------
    RuntimeError : a value is null, which no key is.
    """
    columns = [rows.column(name) for name in ("image_id", *names)]
    if any(column.null_count for column in columns):
        raise RuntimeError(f"a null among {', '.join(names)}, which should be keys.")
    return Keys(np.stack([column.to_numpy().astype(np.int64) for column in columns], axis=1))


def joined(parts: Iterable[Keys], *, length: int = 2) -> Keys:
    """All keys of several sets, which have `length` numbers each."""
    rows = [part.rows for part in parts]
    return Keys(np.concatenate([np.zeros((0, length), dtype=np.int64), *rows]))


def check_same(seen: Keys, wanted: Keys, *, what: str, where: object) -> None:
    """Raise ValueError unless two tables are about the same things.

    Parameters
    ----------
    what : they are, as a plural. where : the file that holds `seen`.
    """
    if seen == wanted:
        return
    missing, surplus = wanted - seen, seen - wanted
    text = [f"{len(missing)} {what} are missing (first: {_first(missing)})"] if missing else []
    text += [f"{len(surplus)} {what} are unknown (first: {_first(surplus)})"] if surplus else []
    raise ValueError(
        f"{where}: {' and '.join(text)}, so it does not add up with the step before. Remove the "
        "file and run snakemake again."
    )


def _first(keys: Keys) -> tuple[int, ...]:
    return next(iter(keys))
