"""Tables of labels: CSV, TSV or Parquet, a row each; what comes out is `Labelled`.

Columns: `file_name` and `label`, then `x,y` (a point), `x0,y0,x1,y1` or `x,y,w,h` (a box; x,y is
its upper left corner only where `w,h` are there), points and boxes beside each other, or none. A
row whose cells of that kind are all empty is a tag of its image. `image_width,image_height` are
optional. The order of columns is free, and other columns are not read.

Numbers are px as they stand there, from the upper left corner of the image and half-open: a box of
x0 = 0, x1 = 1 is the first pixel, whose centre is the point (0.5, 0.5). Whoever counts pixels from
1, or to the last one inclusive, has to convert before.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.formats.assembly import Assembly
from stages.formats.delimited_rows import delimiter_of, parquet_rows, plain, text_rows
from stages.formats.format import Labelled
from stages.formats.values import number, shown, text, whole
from stages.runtime.faults import Faults

WANTED = (
    "Write a header of file_name,label, then x,y for points, x0,y0,x1,y1 or x,y,w,h for boxes, or "
    "nothing more for tags"
)
NEEDED = {"file_name", "label"}
POINT, SIDES, CORNERS = ("x", "y"), ("w", "h"), ("x0", "y0", "x1", "y1")
SIZE = ("image_width", "image_height")
READ = {*NEEDED, *POINT, *SIDES, *CORNERS, *SIZE}
OTHER_NAMES = {
    **dict.fromkeys(("filename", "file", "image", "image_name", "path"), "file_name"),
    **dict.fromkeys(("class", "class_name", "category"), "label"),
    **{"xmin": "x0", "ymin": "y0", "xmax": "x1", "ymax": "y1"},
    **{"x_min": "x0", "y_min": "y0", "x_max": "x1", "y_max": "y1"},
}
SIZE_OR_SIDES = {"width": "image_width", "height": "image_height"}  # it depends on the others
KNOWN = {*READ, *OTHER_NAMES, *SIZE_OR_SIDES}
DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+\s*")


def read(source: Path, images: Path, faults: Faults) -> Labelled:
    """The labels in a table; see `stages.formats.format`.

    Raises
    ------
    ValueError : no such file, no table in it, or columns are missing; names it and the remedy.
    """
    try:
        return _read(source, faults)
    except OSError as error:
        raise ValueError(
            f"{source}: cannot be read ({error.strerror or error}). Correct dataset in the config."
        ) from error
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error


def sources(source: Path, images: Path) -> Sequence[Path]:
    """The file itself."""
    return [source]


def file_names(source: Path, images: Path) -> Sequence[str]:
    """Of the photographs that rows name."""
    return [image["file_name"] for image in read(source, images, Faults(source)).images]


def _read(source: Path, faults: Faults) -> Labelled:
    delimiter = delimiter_of(source, KNOWN)
    rows = text_rows(source, delimiter) if delimiter else parquet_rows(source, KNOWN)
    header = next(rows, ("", ()))[1]
    if not header:
        raise ValueError(f"there is nothing in this file. {WANTED}, and a row for each label.")
    assembly = Assembly(faults)
    columns = _columns(header, assembly)
    table = _Table(columns, len(header), delimiter not in ("", ","), assembly)
    count = 0
    for place, cells in rows:
        count += 1
        with faults.caught("faulty rows", place):
            table.take(cells, place)
    if not count:
        raise ValueError("there is no row under the header, so there is nothing to label.")
    return assembly.labelled()


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows are put into an assembly by these columns: index by name."""

    columns: Mapping[str, int]
    width: int
    has_decimal_comma: bool
    assembly: Assembly

    def take(self, cells: Sequence[Any], place: str) -> None:
        """The image and the label of one row; ValueError where there is a fault in it."""
        if len(cells) != self.width:
            raise ValueError(
                f"{len(cells)} cells under a header of {self.width}. "
                "Write a cell, empty or not, for each column, and quotes around delimiters in text."
            )
        file_name, label = self._text("file_name", cells), self._text("label", cells)
        point, box = self._shape(cells)
        size = self._size(cells)
        image = self.assembly.image(file_name, **size)
        self.assembly.label(image, label, point=point, box=box, place=place)

    def _text(self, column: str, cells: Sequence[Any]) -> str:
        cell = cells[self.columns[column]]
        if _is_empty(cell):
            raise ValueError(f"{column} is empty. Fill it in or remove the row.")
        found = str(_told(column, text, cell)).strip()
        if "\0" in found:
            raise ValueError(f"{column} {shown(found)} has a NUL character. Remove it.")
        return found

    def _shape(self, cells: Sequence[Any]) -> tuple[Any, Any]:
        """Point and box of a row, None each where there is none."""
        if "w" not in self.columns:
            return self._numbers(POINT, cells), _box(self._numbers(CORNERS, cells))
        values = self._numbers(POINT + SIDES, cells)
        if values is None:
            return None, None
        x, y, width, height = values
        return None, _box((x, y, x + width, y + height))

    def _numbers(self, names: Sequence[str], cells: Sequence[Any]) -> tuple[float, ...] | None:
        """Finite numbers, or None where all cells are empty or no such columns are there."""
        if names[0] not in self.columns:
            return None
        found = [cells[self.columns[name]] for name in names]
        empty = [name for name, cell in zip(names, found, strict=True) if _is_empty(cell)]
        if len(empty) == len(names):
            return None
        if empty:
            raise ValueError(
                f"{', '.join(empty)} of {','.join(names)} is empty. Fill all of them in, or none."
            )
        return tuple(self._number(*pair) for pair in zip(names, found, strict=True))

    def _number(self, name: str, cell: Any) -> float:
        if self.has_decimal_comma and DECIMAL_COMMA.fullmatch(cell):
            self.assembly.told["numbers with a decimal comma"] += 1
            cell = cell.replace(",", ".")
        return float(_told(name, number, cell))

    def _size(self, cells: Sequence[Any]) -> dict[str, int]:
        if self._numbers(SIZE, cells) is None:
            return {}
        width, height = (
            _told(name, lambda cell: whole(number(cell), 1), cells[self.columns[name]])
            for name in SIZE
        )
        return {"height": height, "width": width}


def _told(name: str, convert: Callable[[Any], Any], cell: Any) -> Any:
    """A cell converted; the fault that this finds names the column."""
    try:
        return convert(cell)
    except ValueError as error:
        raise ValueError(f"{name}: {error}. Correct it.") from error


def _is_empty(cell: Any) -> bool:
    """Of nothing but blanks, null, or the NaN that data frames write for null."""
    return cell is None or cell != cell or (isinstance(cell, str) and not cell.strip())


def _box(values: tuple[float, ...] | None) -> tuple[float, ...] | None:
    if values is not None and not (values[0] < values[2] and values[1] < values[3]):
        raise ValueError(
            f"the box from {values[:2]} to {values[2:]} has no area. Write its upper left corner "
            "before its lower right one, and sides above 0, or remove the row."
        )
    return values


def _columns(header: Sequence[str], assembly: Assembly) -> dict[str, int]:
    """Index of each column that is read, by its name here."""
    stand = [plain(name) for name in header]
    names = [_name(name, stand) for name in stand]
    fault = _header_fault(names)
    if fault:
        seen = shown(",".join(header), 200)
        raise ValueError(f"the header is {seen}, where {fault}. {WANTED}.")
    renamed = [f"{a} as {b}" for a, b in zip(stand, names, strict=True) if a != b]
    extra = [name for name in names if name and name not in READ]
    for told, found in (("read under another name", renamed), ("that are not read", extra)):
        if found:
            assembly.told[f"columns {told} ({shown(', '.join(found), 200)})"] = len(found)
    return {name: index for index, name in enumerate(names) if name in READ}


def _name(name: str, stand: Sequence[str]) -> str:
    """The name here of a column, which depends on the others where it could mean two things."""
    other = OTHER_NAMES.get(name, name)
    if name in SIZE_OR_SIDES and ("x" not in stand or "w" in stand):
        other = SIZE_OR_SIDES[name]
    return name if other in stand else other


def _header_fault(names: Sequence[str]) -> str:
    """What is wrong with the columns, as the end of a sentence; empty where all is well."""
    have = set(names)
    for name in sorted(READ):
        if names.count(name) > 1:
            return f"{name} is there twice"
    for group in (NEEDED, POINT, SIDES, CORNERS, SIZE):
        missing = [name for name in sorted(group) if name not in have]
        if missing and (group is NEEDED or have & set(group)):
            return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    if "w" in have and ("x" not in have or "x0" in have):
        return "w,h stand without x,y, or beside x0,y0,x1,y1"
    if have & set(SIZE_OR_SIDES) and "x" in have and "w" not in have:
        return "width,height may be a box's (write w,h) or the image's (image_width,image_height)"
    return ""
