"""Nodes of JSON and elements of XML spoiled by chance."""

import base64
import json
import xml.etree.ElementTree as ET
from random import Random
from typing import Any

from tests.fuzz.odd import RAW, odd_text, odd_value
from tests.fuzz.spoiled_bytes import PNG_START, spoiled_bytes, spoiled_png

HOLE = "@@{}@@"  # in JSON, until raw text is put there
DECLARED = ("utf-16", "latin-1", "idna", "utf-7", "hex", "none", "cp037", "unicode_escape", "gbk")


def spoiled_json(data: bytes, rng: Random) -> bytes:
    """Nodes replaced, left out, repeated, called otherwise or put elsewhere."""
    try:
        tree = [json.loads(data)]
    except (ValueError, RecursionError):
        return spoiled_bytes(data, rng)
    raws: list[str] = []
    for _ in range(rng.choice([1, 1, 2, 3])):
        holder, key = _node(tree, rng)
        _spoil_node(holder, key, rng, raws)
    text = json.dumps(tree[0] if tree else None, ensure_ascii=rng.random() < 0.5)
    for number, raw in enumerate(raws):
        text = text.replace(f'"{HOLE.format(number)}"', raw, 1)
    return text.encode("utf-8", "surrogatepass")


def _node(tree: list[Any], rng: Random) -> tuple[Any, Any]:
    """A node by what holds it and its key there; each level is as likely as the others."""
    holder: Any = tree
    key: Any = 0
    while rng.random() < 0.75 and isinstance(holder[key], dict | list) and holder[key]:
        holder = holder[key]
        key = rng.choice(sorted(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
    return holder, key


def _spoil_node(holder: Any, key: Any, rng: Random, raws: list[str]) -> None:
    old, kind = holder[key], rng.randrange(10)
    if kind == 0 and len(holder) > 0 and not (isinstance(holder, list) and holder is old):
        del holder[key]
        if not holder and isinstance(holder, list):
            holder.append(None)
    elif kind == 1 and isinstance(holder, list):
        holder.extend([old] * rng.choice([1, 1, 30]))
    elif kind == 1:
        holder[odd_text(rng)] = old
    elif kind == 2:
        holder[key] = rng.choice([[old], {"a": old}, [old, old], str(old)[:300]])
    elif kind == 3:
        raws.append(rng.choice(RAW))
        holder[key] = HOLE.format(len(raws) - 1)
    elif isinstance(old, str) and len(old) > 40:
        holder[key] = _spoiled_text(old, rng)
    else:
        holder[key] = odd_value(rng)


def _spoiled_text(text: str, rng: Random) -> str:
    """A picture in base64 with its chunks spoiled, or any other long text."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    if data.startswith(PNG_START) and rng.random() < 0.8:
        return base64.b64encode(spoiled_png(data, rng)).decode()
    return spoiled_bytes(text.encode(), rng).decode("utf-8", "replace")


def spoiled_xml(data: bytes, rng: Random) -> bytes:
    """Attributes and text replaced or left out, elements repeated, left out or put in others."""
    try:
        root = ET.fromstring(data)
    except (ET.ParseError, ValueError, LookupError):
        return spoiled_bytes(data, rng)
    for _ in range(rng.choice([1, 1, 2, 3])):
        _spoil_element(rng.choice(list(root.iter())), root, rng)
    text = ET.tostring(root, encoding="unicode")
    kind = rng.randrange(20)
    if kind == 0:
        text = f'<?xml version="1.0" encoding="{rng.choice(DECLARED)}"?>{text}'
    elif kind == 1:
        text = f'<!DOCTYPE a [<!ENTITY b "{"c" * 99}">]>{text.replace("cat", "&b;")}'
    elif kind == 2:
        text = "<a>" * 200 + text + "</a>" * 200
    return text.encode("utf-8", "surrogatepass")


def _spoil_element(element: ET.Element, root: ET.Element, rng: Random) -> None:
    kind, other = rng.randrange(8), rng.choice(list(root.iter()))
    if kind == 0:
        element.tag = other.tag
    elif kind == 1 and len(element):
        element.remove(rng.choice(list(element)))
    elif kind == 2 and element is not root and not any(e is other for e in element.iter()):
        other.append(element)
    elif kind == 3:
        element.extend(list(element)[: rng.choice([1, 2, 9])])
    elif element.attrib and kind < 7:
        name = rng.choice(sorted(element.attrib))
        if rng.random() < 0.2:
            del element.attrib[name]
        else:
            element.attrib[name] = odd_text(rng)
    else:
        element.text = odd_text(rng)
