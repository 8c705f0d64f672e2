"""Tables read image by image, in the order of image ids, over all shards at once.

What waits in memory is one row group of each shard, however large the data set is.
"""

import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stages.tables.checks import columns_to_check
from stages.tables.headers import checked_header, damage_told
from stages.tables.record import Record
from stages.tables.table import checked, rows_by_image


def images_of_file(
    path: Path, record: Record, *, columns: Sequence[str] | None = None
) -> Iterator[tuple[int, pa.Table]]:
    """Yield (image_id, its rows) in the file's order; no row group parts an image.

    Parameters
    ----------
    columns : names of those to read; None reads all. The key is always among what is yielded, and
        with masks the size of their image.

    Raises
    ------
    ValueError : the file is missing, damaged, of another schema or version, or its rows are not as
        they should be.
    """
    checked_header(path, record)
    wanted = columns_to_check(record, columns)
    last = None
    with damage_told(path):
        footer = pq.read_metadata(path)  # parsed once: it grows with the file
    for number in range(footer.num_row_groups):
        with damage_told(path):
            group = _row_group(path, footer, number, wanted)
        rows = checked(group, record, str(path), wanted)
        for image_id, mine in rows_by_image(rows).items():
            if last is not None and image_id <= last:
                raise ValueError(
                    f"{path}: image {image_id} comes after image {last}. Remove the file and run "
                    "snakemake again."
                )
            last = image_id
            yield image_id, mine


def _row_group(
    path: Path, footer: pq.FileMetaData, number: int, columns: Sequence[str] | None
) -> pa.Table:
    """One row group; the file is opened anew, so that 1000 shards are not open at once."""
    with pq.ParquetFile(path, metadata=footer, page_checksum_verification=True) as file:
        return file.read_row_group(number, columns=columns)


def images_of_shards(
    paths: Sequence[Path], record: Record, *, columns: Sequence[str] | None = None
) -> Iterator[tuple[int, pa.Table]]:
    """Yield (image_id, its rows) over all shards, image ids rising.

    Raises
    ------
    ValueError : two shards hold the same image, or a file is not as it should be.
    """
    streams = [images_of_file(path, record, columns=columns) for path in paths]
    last = None
    for image_id, rows in heapq.merge(*streams, key=lambda item: item[0]):
        if image_id == last:
            raise ValueError(
                f"{record.name}: image {image_id} is in two shards ({paths[0].parent}). "
                "Shards of different counts are mixed: remove the folder and rerun."
            )
        last = image_id
        yield image_id, rows


class Cursor:
    """Walks a stream of (image_id, rows) along rising image ids."""

    def __init__(self, stream: Iterator[tuple[int, pa.Table]]):
        self.stream = stream
        self.ahead = next(stream, None)

    def rows(self, image_id: int) -> pa.Table | None:
        """The rows of `image_id`, or None; ids must be asked for in rising order."""
        while self.ahead is not None and self.ahead[0] < image_id:
            self.ahead = next(self.stream, None)
        if self.ahead is None or self.ahead[0] != image_id:
            return None
        return self.ahead[1]
