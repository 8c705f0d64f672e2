"""The rows of one image, out of a table of any size: row groups that cannot hold it stay unread.

A table is sorted by image, no row group parts one (`stages.tables.table`), and Parquet's footer
says of each the lowest and the highest id.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stages.tables.headers import checked_header, damage_told
from stages.tables.record import Record
from stages.tables.spans import rows_by
from stages.tables.table import checked, empty_table

KEY = "image_id"


def rows_of_image(path: Path, record: Record, image_id: int) -> pa.Table:
    """The rows of an image in a table of `record`, checked; none where it has none there.

    Raises
    ------
    ValueError : the file is missing, damaged, of another schema or version, or the rows are not as
        they should be.
    """
    checked_header(path, record)
    with damage_told(path), pq.ParquetFile(path, page_checksum_verification=True) as file:
        groups = groups_of(file.metadata, image_id)
        table = file.read_row_groups(groups, use_threads=False)
    if not groups:
        return empty_table(record)
    checked(table, record, str(path), record.key)  # before it is parted by it
    mine = rows_by(table, KEY).get(image_id, table.slice(0, 0))
    return checked(mine, record, str(path))


def groups_of(footer: pq.FileMetaData, image_id: int) -> list[int]:
    """Numbers of the row groups that may hold an image: one of a table of ours, or none.

    Parameters
    ----------
    footer : of a table with column image_id; a group without statistics may hold any.
    """
    names = [footer.schema.column(number).path for number in range(footer.num_columns)]
    if KEY not in names:  # another program wrote it: whoever reads it all says so
        return list(range(footer.num_row_groups))
    place, found = names.index(KEY), []
    for number in range(footer.num_row_groups):
        known = footer.row_group(number).column(place).statistics
        if known is None or not known.has_min_max or known.min <= image_id <= known.max:
            found.append(number)
    return found
