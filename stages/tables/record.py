"""What every file of this room declares its table with: columns, key, ranges."""

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

BOX = pa.list_(pa.float32(), 4)
HUGE = float("inf")  # no upper limit of a range
FINITE = 3e38  # limit of what must be a number, whichever


def column(name: str, kind: pa.DataType, text: str, *, null: bool = False) -> pa.Field:
    """A column that says what it holds; `null`: whether a value may be missing."""
    return pa.field(name, kind, nullable=null, metadata={"description": text})


@dataclass(frozen=True, slots=True)
class Record:
    """One kind of table.

    Attributes
    ----------
    key : columns by which rows are sorted; together unique, and never null.
    ranges : of numbers: column, lowest, highest; a number that is not finite is outside of all.
    words : of text: column to what it may be.
    """

    name: str
    version: int
    columns: tuple[pa.Field, ...]
    key: tuple[str, ...]
    ranges: tuple[tuple[str, float, float], ...] = ()
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def schema(self) -> pa.Schema:
        """The pyarrow schema, without file metadata."""
        return pa.schema(self.columns)

    def field(self, name: str) -> Any:
        """The column of this name."""
        return self.schema.field(name)


IMAGE = column("image_id", pa.int64(), "id of the image in the annotation file")
INSTANCE = column(
    "instance_id", pa.int64(), "id of the object's annotation; -1, -2, ... for one born of a tag"
)
BAG = column("bag_id", pa.int64(), "the object's instance_id; -1 for the bag of an image's tags")
PROPOSAL = column("proposal_id", pa.int32(), "position in the bag, from 0")
