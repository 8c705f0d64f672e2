"""Bytes spoiled by chance, and the chunks of a PNG, whose check sums are right all the same."""

import struct
import zlib
from random import Random

from tests.fuzz.odd import odd_text

PNG_START = b"\x89PNG\r\n\x1a\n"
ENCODINGS = ("utf-16", "utf-8-sig", "latin-1", "utf-32")


def spoiled_bytes(data: bytes, rng: Random) -> bytes:
    """Bits turned over, a span left out, repeated or replaced, the end cut off, or recoded."""
    for _ in range(rng.choice([1, 1, 2, 8])):
        start = rng.randrange(len(data) + 1)
        end = min(len(data), start + rng.choice([1, 1, 2, 4, 16, 200]))
        span = data[start:end]
        new = rng.choice(
            [
                bytes(byte ^ 1 << rng.randrange(8) for byte in span),
                b"",
                span * rng.choice([2, 3, 50]),
                rng.randbytes(len(span)),
                odd_text(rng).encode("utf-8", "surrogatepass"),
            ]
        )
        data = data[:start] + new + data[end:]
    if rng.random() < 0.15:
        data = data[: rng.randrange(len(data) + 1)]
    return _recoded(data, rng) if rng.random() < 0.05 else data


def _recoded(data: bytes, rng: Random) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(rng.choice(ENCODINGS), "replace")


def spoiled_png(data: bytes, rng: Random) -> bytes:
    """Chunks changed, left out, repeated or cut, with check sums that are right again."""
    chunks = _chunks(data)
    for _ in range(rng.choice([1, 1, 2])):
        place = rng.randrange(len(chunks))
        name, body = chunks[place]
        kind = rng.randrange(6)
        if kind == 0 and len(chunks) > 1:
            del chunks[place]
        elif kind == 1:
            chunks.insert(place, (rng.choice([b"tRNS", b"iCCP", b"zTXt", b"acTL", b"eXIf", name]),
                                  body or rng.randbytes(9)))  # fmt: skip
        elif kind == 2 and name == b"IHDR" and len(body) == 13:
            sides = [rng.choice([0, 1, 3, 160, 9000, 2**31 - 1]) for _ in range(2)]
            chunks[place] = (name, struct.pack(">II", *sides) + body[8:])
        else:
            chunks[place] = (name, spoiled_bytes(body, rng)[: 1 << 16])
    return PNG_START + b"".join(_packed(name, body) for name, body in chunks)


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], len(PNG_START)
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found or [(b"IHDR", b"")]


def _packed(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
