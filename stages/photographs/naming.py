"""Photographs found by the names that labels give them, however their tool wrote them.

A name that is there is taken as it is. Otherwise back-slashes, `%20`, composed and decomposed
accents, another case, and a leading folder that is the image folder itself are looked through; a
name that fits one file alone is that file. No name may leave the folder. Standard library alone,
since planning looks for the same files.
"""

import difflib
import os
import unicodedata
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

from stages.runtime.program import Sentence

FEW = 2000  # files among which a similar name is looked for


def leads_outside(file_name: str) -> bool:
    """Whether a path is absolute, climbs out of its folder, or is none at all."""
    path = os.path.normpath(file_name)
    climbs = path.split(os.sep)[0] == os.pardir
    return not file_name or "\0" in file_name or os.path.isabs(path) or climbs


def image_path(folder: Path, file_name: str, *, follow_links: bool = False) -> Path:
    """Path of an image inside `folder`.

    Parameters
    ----------
    follow_links : a link may lead out of the folder, as DVC and git-annex keep their files.

    Raises
    ------
    ValueError : the name, or a link, leads outside the folder.
    """
    if leads_outside(file_name):
        raise ValueError(
            f"image name {file_name!r} leads outside the image folder {folder}. Name images by "
            "their path inside it."
        )
    path = folder / file_name
    if not follow_links and not Path(os.path.realpath(path)).is_relative_to(folder.resolve()):
        raise ValueError(
            f"image {file_name!r} is a link that leads outside the image folder {folder}. Set "
            "dataset.follow_links: true to follow such links, or put the files themselves there."
        )
    return path


class Names:
    """The photographs of a folder, by any of their spellings."""

    def __init__(self, folder: Path):
        self.folder = folder

    def find(self, file_name: str) -> str | None:
        """Path inside the folder of the one file that a name can mean; None where there is none.

        A name that leads outside is returned as it is, for `image_path` to refuse.
        """
        if leads_outside(file_name) or self._is_there(file_name):
            return file_name
        for name in self._spellings(file_name):
            if not leads_outside(name) and self._is_there(name):
                return name
        for name in self._spellings(file_name):
            found = self._by_key.get(_key(name), [])
            if len(found) == 1:
                return found[0]
        return None

    def hint(self, file_name: str) -> Sentence:
        """What is there instead of a name that is not, and what to do."""
        slashed = file_name.replace("\\", "/")
        base = slashed.rsplit("/", 1)[-1]
        slash = " Its back-slashes are read as folders, too." if "\\" in file_name else ""
        same = self._by_key.get(_key(slashed), []) or self._by_base.get(_key(base), [])
        if same:
            names = " and ".join(same[:3])
            return f"{names} {'is' if len(same) == 1 else 'are'} there.{slash} Correct the name."
        near = difflib.get_close_matches(base, self._bases[:FEW], n=1, cutoff=0.75)
        told = (
            f"the name most like it is {near[0]}" if near else "no file of a similar name is there"
        )
        return f"{told}.{slash} Correct the name or the folder."

    def _is_there(self, name: str) -> bool:
        return os.path.isfile(os.path.join(self.folder, name))

    def _spellings(self, name: str) -> Iterator[str]:
        """Ways to read a name, the likelier ones first."""
        slashed = name.replace("\\", "/")
        for path in dict.fromkeys((slashed, unquote(slashed))):
            for form in ("NFC", "NFD"):
                yield unicodedata.normalize(form, path)
            inner = self._without_folder(path)
            if inner:
                yield inner

    def _without_folder(self, path: str) -> str:
        """The path below the image folder where its first folders are that folder's last ones."""
        parts = [part for part in path.split("/") if part not in ("", ".")]
        above = self.folder.absolute().parts
        for count in range(len(parts) - 1, 0, -1):
            if tuple(parts[:count]) == above[-count:]:
                return "/".join(parts[count:])
        return ""

    @cached_property
    def _files(self) -> list[str]:
        """Every file below the folder, as it is looked for the first time in vain."""
        found = []
        for place, _, names in os.walk(self.folder, followlinks=True):
            inner = os.path.relpath(place, self.folder)
            found += [name if inner == "." else os.path.join(inner, name) for name in names]
        return sorted(found)

    @cached_property
    def _by_key(self) -> dict[str, list[str]]:
        return _grouped((_key(path), path) for path in self._files)

    @cached_property
    def _by_base(self) -> dict[str, list[str]]:
        return _grouped((_key(os.path.basename(path)), path) for path in self._files)

    @cached_property
    def _bases(self) -> list[str]:
        return [os.path.basename(path) for path in self._files]


def _key(path: str) -> str:
    """One form for all spellings of a path."""
    return unicodedata.normalize("NFC", os.path.normpath(unquote(path))).casefold()


def _grouped(pairs: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, path in pairs:
        found.setdefault(key, []).append(path)
    return found
