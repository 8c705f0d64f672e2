"""Label Studio's run-length code of a brush: the bytes of an RGBA picture, packed bit by bit.

In come the bytes of a code, out comes the picture's alpha, which is the mask. A code is a stream of
bits, the highest of each byte first: 32 bits for the number of values, 5 for the bits of a value,
less 1, four times 4 for the bits of a block's length, less 1, and then blocks. A block is 1 bit (1:
one value for all; 0: each has its own), 2 bits for which of the four lengths it uses, its length
less 1, and its value or values. Values go along the rows of the picture, R, G, B, A for each pixel;
what follows the last of them fills a byte up.

Source: @thi.ng/rle-pack (README, "encoding format"), which Label Studio writes brushes with.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

CHANNELS, ALPHA = 4, 3
NUMBER_BITS, WORD_BITS, SIZE_BITS, SIZES = 32, 5, 4, 4
HEAD_BITS = NUMBER_BITS + WORD_BITS + SIZES * SIZE_BITS
BYTE = 8
LONGEST_HEAD = 8  # bytes, of the file's head and of a block's, with the bits before it
WRITTEN_SIZE = 16  # bits of a length in codes that are written here
LONGEST = 1 << WRITTEN_SIZE  # values in a block
BRUSHED = 255  # alpha of a pixel of the mask
DAMAGED = "Export the labels again, as JSON."


def alpha_of(codes: bytes, height: int, width: int) -> np.ndarray:
    """The mask of a code, (height, width) uint8, 0 to 255.

    No more memory is taken than the mask and one block of 65,536 values.

    Raises
    ------
    ValueError : the code is damaged, or of another number of pixels; the end of a sentence.
    """
    word, sizes = _head(codes, height, width)
    count = height * width * CHANNELS
    alpha = np.zeros(height * width, dtype=np.uint8)
    at, done = HEAD_BITS, 0  # bits read, values read
    while done < count:
        is_run, which = divmod(_bits(codes, at, 3), SIZES)
        length = 1 + _bits(codes, at + 3, sizes[which])
        at += 3 + sizes[which]
        end = at + word * (1 if is_run else length)
        if end > BYTE * len(codes):
            raise ValueError(f"its brush ends after {done} of {count} values. {DAMAGED}")
        if done + length > count:
            raise ValueError(f"its brush holds more values than its {count}. {DAMAGED}")
        values = _bits(codes, at, word) if is_run else _alphas(codes, at, end, word, done)
        alpha[_pixel(done) : _pixel(done + length)] = values
        at, done = end, done + length
    return alpha.reshape(height, width)


def codes_of(mask: np.ndarray) -> bytes:
    """The code of a mask: its pixels are 255 in all four channels, the others 0.

    Parameters
    ----------
    mask : (height, width) bool.

    Raises
    ------
    ValueError : it has more pixels than a code can number.
    """
    if mask.size * CHANNELS >= 1 << NUMBER_BITS:
        raise ValueError(f"a mask of {mask.size} px is too large for a brush of Label Studio.")
    values, lengths = _runs(mask.ravel())
    blocks = [1, 3, lengths - 1, values]  # a run, the last of the sizes, its length, its value
    head = [mask.size * CHANNELS, BYTE - 1, *[WRITTEN_SIZE - 1] * SIZES]
    widths = [NUMBER_BITS, WORD_BITS, *[SIZE_BITS] * SIZES]
    parts = [_columns(head, widths, 1), _columns(blocks, [1, 2, WRITTEN_SIZE, BYTE], len(values))]
    return np.packbits(np.concatenate([part.ravel() for part in parts])).tobytes()


def _head(codes: bytes, height: int, width: int) -> tuple[int, list[int]]:
    """Bits of a value and of the four lengths, of a code of an image of that size."""
    if BYTE * len(codes) < HEAD_BITS:
        raise ValueError(f"its brush is of {len(codes)} bytes, which hold no code. {DAMAGED}")
    number = _bits(codes, 0, NUMBER_BITS)
    if number != height * width * CHANNELS:
        raise ValueError(
            f"its brush is of {number} values, not of 4 for each of {width} x {height} px. "
            f"{DAMAGED}"
        )
    word = 1 + _bits(codes, NUMBER_BITS, WORD_BITS)
    if word > BYTE:
        raise ValueError(f"its brush has values of {word} bits, more than a byte. {DAMAGED}")
    starts = range(NUMBER_BITS + WORD_BITS, HEAD_BITS, SIZE_BITS)
    return word, [1 + _bits(codes, start, SIZE_BITS) for start in starts]


def _bits(codes: bytes, at: int, count: int) -> int:
    """The number in so many bits from bit `at` on; beyond the end there are zeros."""
    first = at // BYTE
    window = codes[first : first + LONGEST_HEAD].ljust(LONGEST_HEAD, b"\0")
    shift = BYTE * LONGEST_HEAD - at % BYTE - count
    return int.from_bytes(window, "big") >> shift & (1 << count) - 1


def _alphas(codes: bytes, at: int, end: int, word: int, done: int) -> np.ndarray:
    """Every fourth of the values in the bits from `at` to `end`, from the first alpha on, uint8."""
    first = at // BYTE
    window = np.frombuffer(codes, np.uint8, -(-end // BYTE) - first, first)
    bits = np.unpackbits(window)[at - first * BYTE : end - first * BYTE].reshape(-1, word)
    alphas = bits[(ALPHA - done) % CHANNELS :: CHANNELS]  # (n, word)
    return np.packbits(alphas, axis=1).ravel() >> BYTE - word


def _pixel(number: int) -> int:
    """The first pixel whose alpha is not before the value of that number."""
    return (number + CHANNELS - 1 - ALPHA) // CHANNELS


def _runs(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and lengths of the runs of a flat mask, (n,) each, none longer than a block."""
    starts = np.flatnonzero(np.diff(pixels, prepend=~pixels[:1]))
    lengths = np.diff(starts, append=len(pixels)) * CHANNELS
    pieces = -(-lengths // LONGEST)
    split = np.full(pieces.sum(), LONGEST)
    split[np.cumsum(pieces) - 1] = lengths - (pieces - 1) * LONGEST  # the last takes the rest
    return np.repeat(pixels[starts] * BRUSHED, pieces), split


def _columns(numbers: Sequence[Any], widths: Sequence[int], rows: int) -> np.ndarray:
    """Numbers as bits, side by side, (rows, sum of the widths) uint8; a number is for all rows."""
    columns = [
        np.broadcast_to(number, rows)[:, None] >> np.arange(width)[::-1] & 1
        for number, width in zip(numbers, widths, strict=True)
    ]
    return np.concatenate(columns, axis=1).astype(np.uint8)
