"""Photographs at the door: found by their names, measured, turned, decoded; all faults at once.

In come the images that labels name; out go those that can be read, each with its true name, its
size and its digest, and with how it is read: which way up, and which values are black and white.
"""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.photographs.naming import Names, image_path
from stages.photographs.orientation import (
    QUARTER,
    RAW,
    Header,
    Size,
    fitting,
    orientations,
)
from stages.photographs.reading import bytes_of, decoded, digest_of, limits_of, read_header
from stages.runtime.faults import Faults
from stages.runtime.program import Sentence, say
from stages.runtime.progress import Progress
from stages.settings.prepare import Prepare

Image = dict[str, Any]
HALF: Sentence = "photographs with an EXIF half turn or mirror, which no size can tell"
TOLD: dict[str, Sentence] = {  # by what is done to a photograph
    "name": "photographs found under another spelling of their name",
    "size": "photographs whose size the labels do not say",
    "turned": "photographs turned as their EXIF orientation says",
    "half_turned": f"{HALF}, turned",
    "half_raw": f"{HALF}, left as stored (set prepare.orientation: exif if your tool turned them)",
    "wide": "photographs of more than 8 bits, scaled by prepare.depth",
}


class Admission:
    """Looks at the photographs of a set.

    Parameters
    ----------
    is_raw : where no size tells, labels are of the grid as it is stored, not of what people see.
    stage : whose log says what is done.

    Attributes
    ----------
    skipped : (file name, reason) of those that cannot be read, where the settings say skip.
    told : how many were taken in another way than they are named or stored.
    """

    def __init__(
        self,
        folder: Path,
        settings: Prepare,
        *,
        is_raw: bool = True,
        follow_links: bool = False,
        stage: str = "prepare",
    ):
        self.folder, self.settings, self.follow_links = folder, settings, follow_links
        self.is_raw, self.stage = is_raw, stage
        self.skipped: list[tuple[str, str]] = []
        self.told = Counter[str]()
        self.faults = Faults()
        self._names = Names(folder)
        self._given = dict[str, str]()  # how labels call a photograph first, by its true name

    def measured(self, images: Sequence[Mapping[str, Any]]) -> list[Image]:
        """The images whose headers can be read, with `height`, `width`, `orientation`, `header`.

        Those that are missing, or of another size than the labels say, are in `faults` then.
        """
        progress = Progress(self.stage, len(images), "headers read")
        found = []
        for image in images:
            try:
                found += self._with_header(image)
            except ValueError as error:
                self.faults.add("names that lead outside", str(error))
            progress.step()
        turns = self._orientations(found)
        if any(image["height"] is not None for image in found):  # else its format never has sizes
            self.told["size"] += sum(_size_of(image) is None for image in found)
        return [self._turned(image, turns[image["id"]]) for image in found]

    def verified(self, images: Sequence[Image]) -> list[Image]:
        """The images that can be decoded, with `digest`, `black` and `white`.

        Raises
        ------
        ValueError : one cannot be read, and `undecodable` is "fail"; tells all of them.
        """
        progress = Progress(self.stage, len(images), "images checked")
        found = []
        for image in images:
            try:
                found.append(self._looked_at(image))
            except ValueError as error:
                self._unreadable(image, str(error))
            progress.step()
        self.faults.check()
        return found

    def _with_header(self, image: Mapping[str, Any]) -> list[Image]:
        """The image with its true name and its header; nothing where it cannot be read."""
        given = image["file_name"]
        name = self._names.find(given)
        if name is None:
            where = self.folder / given
            hint = self._names.hint(given)
            self._unreadable(image, f"image {where}: this file is missing; {hint}")
            return []
        path = image_path(self.folder, name, follow_links=self.follow_links)
        other = self._given.setdefault(name, given)
        if other != given:
            self.faults.add(
                "photographs under several names",
                f"image {path}: the labels call it {other} and {given}, which would be two "
                "images. Write one name.",
            )
        self.told["name"] += name != given
        try:
            return [{**image, "file_name": name, "header": read_header(path, path)}]
        except ValueError as error:
            self._unreadable(image, str(error))
            return []

    def _unreadable(self, image: Mapping[str, Any], sentence: str) -> None:
        if self.settings.undecodable == "fail":
            self.faults.add("photographs that cannot be read", sentence)
        else:
            say(self.stage, f"skipped: {sentence}")
            self.skipped.append((image["file_name"], sentence))

    def _orientations(self, images: Sequence[Image]) -> dict[int, int]:
        """Which way up each is read, by id."""
        turns = dict[int, int | None]()
        headers = dict[int, Header]()
        for image in images:
            number = image["id"]
            headers[number], turns[number] = image["header"], RAW
            try:
                turns[number] = fitting(headers[number], _size_of(image), self.settings.orientation)
            except ValueError as error:
                where = self.folder / image["file_name"]
                self.faults.add("photographs of another size", f"image {where}: {error}")
        decided = orientations(turns, headers, is_raw=self.is_raw)
        halves = [n for n, turn in turns.items() if turn is None and headers[n].exif not in QUARTER]
        turned = sum(decided[number] != RAW for number in halves)
        self.told["half_turned"] += turned
        self.told["half_raw"] += len(halves) - turned
        return decided

    def _turned(self, image: Image, turn: int) -> Image:
        header: Header = image["header"]
        self.told["turned"] += turn in QUARTER
        height, width = header.size_at(turn)
        return {**image, "height": height, "width": width, "orientation": turn}

    def _looked_at(self, image: Image) -> Image:
        path = image_path(self.folder, image["file_name"], follow_links=self.follow_links)
        data, header = bytes_of(path), image["header"]
        if read_header(io.BytesIO(data), path) != header:
            raise ValueError(f"image {path}: it changed while prepare read it. Run it again.")
        turn, limits = image["orientation"], None
        if header.is_wide:
            limits = limits_of(data, path, self.settings.depth)
            self.told["wide"] += 1
        if self.settings.verify == "decode":
            decoded(data, path, orientation=turn, limits=limits)
        black, white = limits or (None, None)
        kept = {name: value for name, value in image.items() if name != "header"}
        digest = digest_of(data, turn, limits)
        return {**kept, "digest": digest, "black": black, "white": white}

    def sentences(self) -> dict[str, int]:
        """What was taken in another way, in words: {what: how many}."""
        return {TOLD[key]: count for key, count in self.told.items() if count}


def _size_of(image: Mapping[str, Any]) -> Size | None:
    """(height, width) px that the labels say; None where one of them is missing."""
    height, width = image["height"], image["width"]
    return None if height is None or width is None else (height, width)
