"""Label Studio's code of a brush, against codes made by hand and by a slow, obvious writer."""

import time
from collections.abc import Sequence

import numpy as np
import pytest

from stages.formats.brush import alpha_of, codes_of

SIZES = (3, 4, 8, 16)  # bits of a length, as Label Studio has them
Block = tuple[bool, int, Sequence[int]]  # a run?, which size, its values


def packed(bits: str) -> bytes:
    """Text of 0 and 1 as bytes; spaces are for the reader."""
    bits = bits.replace(" ", "")
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[start : start + 8], 2) for start in range(0, len(bits), 8))


def code(blocks: Sequence[Block], *, number: int, word: int = 8) -> bytes:
    bits = f"{number:032b}{word - 1:05b}" + "".join(f"{size - 1:04b}" for size in SIZES)
    for is_run, which, values in blocks:
        bits += f"{int(is_run)}{which:02b}{len(values) - 1:0{SIZES[which]}b}"
        bits += "".join(f"{value:0{word}b}" for value in (values[:1] if is_run else values))
    return packed(bits)


def test_no_pixels_are_no_blocks() -> None:
    assert alpha_of(code([], number=0), 0, 0).shape == (0, 0)
    assert alpha_of(codes_of(np.zeros((0, 3), dtype=bool)), 0, 3).shape == (0, 3)


def test_a_code_made_by_hand_is_read_bit_by_bit() -> None:
    head = "00000000 00000000 00000000 00001000" + "00111" + "0010 0011 0111 1111"  # 8 values
    run = "1 00 011" + "00000000"  # four times 0: a pixel outside
    literals = "0 01 0011" + "00000001 00000010 00000011 11111111"  # R 1, G 2, B 3, A 255
    assert alpha_of(packed(head + run + literals), 1, 2).tolist() == [[0, 255]]
    assert alpha_of(packed(head + literals + run), 2, 1).tolist() == [[255], [0]]


BLOCKS: dict[str, list[Block]] = {
    "a run over pixels": [(True, 1, [9] * 12)],
    "each value its own": [(False, 1, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])],
    "runs of one channel": [(True, 0, [value]) for value in range(12)],
    "blocks across pixels": [(False, 0, [1, 2]), (True, 2, [77] * 7), (False, 3, [3, 200, 5])],
    "a literal of one, then a run": [(False, 0, [5]), (True, 3, [6] * 11)],
}


@pytest.mark.parametrize("blocks", BLOCKS.values(), ids=BLOCKS.keys())
@pytest.mark.parametrize(("height", "width"), [(1, 3), (3, 1)])
def test_alpha_is_every_fourth_value(blocks: list[Block], height: int, width: int) -> None:
    values = [value for _, _, part in blocks for value in part]
    expected = np.array(values[3::4]).reshape(height, width)
    alpha = alpha_of(code(blocks, number=12), height, width)
    assert alpha.dtype == np.uint8
    assert alpha.tolist() == expected.tolist()


def test_short_values_are_read_too() -> None:
    blocks: list[Block] = [(False, 0, [0, 1, 0, 1, 1]), (True, 0, [0] * 3)]
    assert alpha_of(code(blocks, number=8, word=1), 2, 1).tolist() == [[1], [0]]


def test_random_blocks_are_read_as_they_were_written() -> None:
    rng = np.random.default_rng(5)
    for _ in range(40):
        blocks: list[Block] = []
        left = number = 4 * 6 * 7
        while left:
            which = int(rng.integers(4))
            length = int(min(left, rng.integers(1, 1 + min(100, 2 ** SIZES[which]))))
            is_run = bool(rng.integers(2))
            values = rng.integers(256, size=1 if is_run else length).tolist()
            blocks.append((is_run, which, values * length if is_run else values))
            left -= length
        flat = [value for _, _, part in blocks for value in part]
        found = alpha_of(code(blocks, number=number), 6, 7)
        assert found.ravel().tolist() == flat[3::4]


MASKS = {
    "empty": np.zeros((3, 4), dtype=bool),
    "one pixel": np.eye(1, dtype=bool),
    "full, longer than a block": np.ones((200, 300), dtype=bool),
    "just a block": np.ones((128, 128), dtype=bool),
    "checkered": np.indices((5, 7)).sum(axis=0) % 2 == 0,
    "touching the corner": np.pad(np.ones((2, 2), dtype=bool), ((3, 0), (2, 0))),
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
def test_a_mask_survives_writing_and_reading(mask: np.ndarray) -> None:
    alpha = alpha_of(codes_of(mask), *mask.shape)
    assert set(np.unique(alpha)) <= {0, 255}
    assert np.array_equal(alpha > 0, mask)


def test_what_fills_a_byte_up_is_not_read() -> None:
    mask = MASKS["checkered"]
    assert np.array_equal(alpha_of(codes_of(mask) + b"\0", *mask.shape) > 0, mask)


PIXEL: list[Block] = [(True, 0, [255] * 4)]
FAULTS = {
    "nothing": (b"", "is of 0 bytes, which hold no code"),
    "half a head": (code(PIXEL, number=4)[:6], "is of 6 bytes"),
    "another image": (code(PIXEL * 2, number=8), "is of 8 values, not of 4 for each of 1 x 1 px"),
    "a huge number": (code(PIXEL, number=2**32 - 1), "is of 4294967295 values"),
    "words of 9 bits": (code(PIXEL, number=4, word=9), "has values of 9 bits"),
    "no blocks": (code([], number=4), "ends after 0 of 4 values"),
    "cut within a run": (code(PIXEL, number=4)[:-1], "ends after 0 of 4 values"),
    "cut within literals": (
        code([(True, 0, [1]), (False, 0, [1, 2, 3])], number=4)[:-2],
        "ends after 1 of 4 values",
    ),
    "a block too long": (code([(True, 0, [1] * 5)], number=4), "more values than its 4"),
    "literals too long": (code([(False, 0, [1] * 5)], number=4), "more values than its 4"),
}


@pytest.mark.parametrize(("codes", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_a_damaged_code_is_refused_in_words(codes: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        alpha_of(codes, 1, 1)


def test_a_large_code_is_read_fast() -> None:
    height, width = 3000, 4000
    rows, columns = np.ogrid[:height, :width]
    disc = (rows - 1500) ** 2 + (columns - 2000) ** 2 < 1400**2
    start = time.process_time()
    assert np.array_equal(alpha_of(codes_of(disc), height, width) > 0, disc)
    literals = code([(False, 3, [7] * 65536)] * 8, number=8 * 65536)
    assert (alpha_of(literals, 256, 512) == 7).all()
    assert time.process_time() - start < 5
