"""Columns of Parquet of every type, with the values that are odd for it; two rows each."""

import datetime
import decimal
import io
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.odd import TEXTS

KINDS: list[tuple[Any, list[Any]]] = [
    (pa.string(), ["a.png", "b.png"]),
    (pa.string(), ["cat", "dog"]),
    (pa.string(), ["10", "60,5"]),
    (pa.string(), [None, ""]),
    *((pa.string(), [text, "a.png"]) for text in TEXTS if text.isprintable()),
    (pa.large_string(), ["a.png", None]),
    (pa.binary(), [b"a.png", b"\xff\xfe"]),
    (pa.binary(2), [b"ab", None]),
    (pa.int8(), [-128, 127]),
    (pa.int64(), [2**63 - 1, None]),
    (pa.uint64(), [2**64 - 1, 10]),
    (pa.float16(), [1.5, None]),
    (pa.float32(), [10.5, float("nan")]),
    (pa.float64(), [60, float("inf")]),
    (pa.float64(), [1e308, 5e-324]),
    (pa.bool_(), [True, None]),
    (pa.null(), [None, None]),
    (pa.decimal128(38, 10), [decimal.Decimal("10.5"), decimal.Decimal("-9e27")]),
    (pa.decimal256(60, 2), [decimal.Decimal("1e57"), None]),
    (pa.date32(), [-(2**31), 2**31 - 1]),
    (pa.date64(), [86_400_000, None]),
    (pa.time32("s"), [10, 86_399]),
    (pa.time64("ns"), [1, 999]),
    (pa.timestamp("ns"), [1, -(2**62)]),
    (pa.timestamp("ms"), [2**60, -(2**60)]),
    (pa.timestamp("us", tz="Nowhere/Land"), [1, None]),
    (pa.timestamp("us", tz="+99:00"), [1, 2]),
    (pa.duration("ns"), [1, 2**62]),
    (pa.duration("s"), [2**62, None]),
    (pa.list_(pa.int64()), [[1, 2], None]),
    (pa.list_(pa.list_(pa.string())), [[["a"]], []]),
    (pa.struct([("x", pa.int64())]), [{"x": 1}, None]),
    (pa.map_(pa.string(), pa.int64()), [[("a", 1)], []]),
    (pa.dictionary(pa.int32(), pa.string()), ["a.png", "b.png"]),
]
EXTREMES = (datetime.datetime.min, datetime.datetime.max)


def columns() -> list[pa.Array]:
    """A column of each kind."""
    found = [_column(kind, values) for kind, values in KINDS]
    return [*found, pa.array(EXTREMES, pa.timestamp("us"))]


def _column(kind: Any, values: Sequence[Any]) -> pa.Array:
    if pa.types.is_temporal(kind):  # from what is stored, since Python has no such moments
        width = pa.int32() if kind.bit_width == 32 else pa.int64()
        return pa.array(values, width).view(kind)
    if pa.types.is_float16(kind):
        return pa.array(values, pa.float32()).cast(kind)
    return pa.array(values, kind)


def parquet(names: Sequence[str], arrays: Sequence[pa.Array]) -> bytes:
    """A file of these columns, of which several may have one name."""
    data = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([*arrays], names=[*names]), data)
    return data.getvalue()
