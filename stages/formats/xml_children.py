"""XML from strangers, one child of the root at a time: a file comes in, `Element`s go out.

Memory is bounded by one child and one block of the file. A document type is refused, and with it
every entity, so that a small file cannot grow and no other file is asked for. Standard library
alone.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

BLOCK = 1 << 20  # bytes; an attribute is seldom longer, since each block parses it anew
DEEPEST = 64  # elements within one another; labels need five


def children(path: Path, root: str) -> Iterator[Element]:
    """Each child of the root of an XML file, whole.

    Parameters
    ----------
    root : what the root must be: "annotations".

    Raises
    ------
    ValueError : it cannot be read, is no sound XML, has another root or a document type, or is
        nested too deeply; a sentence without the file's name.
    """
    builder = _Builder(root)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = _refuse
    with _opened(path) as file:
        while block := file.read(BLOCK):
            _parse(parser, block, False)
            yield from builder.taken()
    _parse(parser, b"", True)
    yield from builder.taken()


class _Refused(ValueError):
    """What stands in the XML is refused here, not by the parser."""


class _Builder:
    """Builds the children of the root and holds them until they are taken."""

    def __init__(self, root: str):
        self._root, self._depth = root, 0
        self._tree = TreeBuilder()
        self._done: list[Element] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._depth += 1
        if self._depth == 1 and tag != self._root:
            raise _Refused(f"its root is <{tag}>, not <{self._root}>. Give a file of this format.")
        if self._depth > DEEPEST:
            raise _Refused(f"its elements are nested {self._depth} deep. Export it again.")
        if self._depth > 1:
            self._tree.start(tag, attributes)

    def text(self, data: str) -> None:
        """Text of the element that is open."""
        if self._depth > 1:
            self._tree.data(data)

    def end(self, tag: str) -> None:
        """An element ends; a child of the root is whole then."""
        if self._depth > 1:
            self._tree.end(tag)
        if self._depth == 2:
            self._done.append(self._tree.close())
            self._tree = TreeBuilder()
        self._depth -= 1

    def taken(self) -> list[Element]:
        """The children that are whole, which are forgotten here."""
        done, self._done = self._done, []
        return done


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise ValueError(f"it cannot be read ({error.strerror or error}). Correct it.") from None


def _parse(parser: expat.XMLParserType, block: bytes, is_last: bool) -> None:
    try:
        parser.Parse(block, is_last)
    except expat.ExpatError as error:
        raise ValueError(
            f"it is no sound XML: {expat.ErrorString(error.code)}, line {error.lineno}, "
            f"column {error.offset + 1}. Export it again."
        ) from None
    except _Refused:
        raise
    except (LookupError, ValueError) as error:  # of an encoding that Python or expat cannot use
        raise ValueError(f"it is no XML that can be read ({error}). Save it as UTF-8.") from None


def _refuse(*_: object) -> None:
    raise _Refused("it has a document type (<!DOCTYPE>), which is not read. Remove that line.")
