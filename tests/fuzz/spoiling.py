"""Cases spoiled by chance: their files, and which files there are.

What comes out depends on the generator alone.
"""

import re
from dataclasses import replace
from random import Random

from tests.fuzz.cases import Case
from tests.fuzz.odd import odd_text
from tests.fuzz.spoiled_bytes import PNG_START, spoiled_bytes, spoiled_png
from tests.fuzz.spoiled_trees import spoiled_json, spoiled_xml

NAMES = (
    "A.JSON",
    "\udc80.txt",
    "a b.xml",
    ".a.txt",
    "e\u0301.txt",
    "a.txt",
    "classes.txt",
    "a.png",
)


def spoiled(case: Case, rng: Random) -> Case:
    """A case with one to three of its files, or one file so often, changed."""
    for _ in range(rng.choice([1, 1, 2, 3])):
        if not case.files or rng.random() < 0.04:
            case = _other_files(case, rng)
        else:
            name = rng.choice(sorted(case.files))
            case = case.with_file(name, _spoiled_file(case.files[name], rng))
    return case


def _other_files(case: Case, rng: Random) -> Case:
    """A file is missing, a folder, a link to itself, or called otherwise."""
    name = rng.choice(sorted(case.files) or [case.source])
    kind = rng.randrange(5)
    if kind == 0:
        return case.without(name)
    if kind == 1:
        return replace(case.without(name), folders=(*case.folders, name))
    if kind == 2:
        return replace(case.without(name), links=(*case.links, name))
    other = "/".join([*name.split("/")[:-1], rng.choice(NAMES)])
    data = case.files.get(name, b"")
    return (case if kind == 3 else case.without(name)).with_file(other, data)


def _spoiled_file(data: bytes, rng: Random) -> bytes:
    if rng.random() < 0.2:
        return spoiled_bytes(data, rng)
    if data.startswith(PNG_START):
        return spoiled_png(data, rng)
    if data[:1] in (b"{", b"["):
        return spoiled_json(data, rng)
    if data.startswith(b"<"):
        return spoiled_xml(data, rng)
    return spoiled_lines(data, rng)


def spoiled_lines(data: bytes, rng: Random) -> bytes:
    """Lines left out, repeated, swapped or cut; words in them replaced, left out or repeated."""
    lines = data.decode("utf-8", "replace").split("\n")
    for _ in range(rng.choice([1, 1, 2, 5])):
        number, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        kind = rng.randrange(8)
        if kind == 0 and len(lines) > 1:
            del lines[number]
        elif kind == 1:
            lines.insert(other, lines[number])
        elif kind == 2:
            lines[number], lines[other] = lines[other], lines[number]
        else:
            lines[number] = _spoiled_words(lines[number], rng)
    end = rng.choice(["\n", "\n", "\n", "\r\n", "\r", ""])
    return end.join(lines).encode("utf-8", "surrogatepass")


def _spoiled_words(line: str, rng: Random) -> str:
    parts = re.split(r"([,;\t|: \[\]]+)", line)
    place = rng.randrange(len(parts))
    old = parts[place]
    parts[place] = rng.choice(
        [odd_text(rng), odd_text(rng), "", old * 2, f'"{old}', f"{old},{old}"]
    )
    return "".join(parts)
