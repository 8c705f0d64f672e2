"""Photographs that are none, before prepare and after it: refused, never waited for."""

import io
import shutil
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from stages.tables.images import shard_images
from tests.malformed.attempt import attempt
from tests.malformed.finished import Finished, Job
from tests.malformed.left import contents
from tests.malformed.sentences import assert_one_sentence
from tests.malformed.spoiling import NO_FILE, Spoil, rewritten, spoilt

pytestmark = pytest.mark.long


def _chunk(kind: bytes, data: bytes) -> bytes:
    whole = kind + data
    return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))


def _png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG whose header says more than its data holds."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(data)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _drawn(size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (9, 9, 9)).save(buffer, "PNG")
    return buffer.getvalue()


BROKEN: dict[str, Spoil] = {
    "emptied": rewritten(lambda data: b""),
    "cut in half": rewritten(lambda data: data[: len(data) // 2]),
    "cut behind its header": rewritten(lambda data: data[:40]),
    "reversed": rewritten(lambda data: data[::-1]),
    "zeros": rewritten(lambda data: bytes(len(data))),
    "text": rewritten(lambda data: b"no photograph\n"),
    **NO_FILE,
}
BEFORE: dict[str, Spoil] = {
    **BROKEN,
    "of another size": rewritten(lambda data: _drawn((7, 5))),
    "of 10^9 px": rewritten(lambda data: _png(100_000, 10_000)),
    "of 4 * 10^18 px": rewritten(lambda data: _png(2**31 - 1, 2**31 - 1)),
    "of no px": rewritten(lambda data: _png(0, 0)),
    "without pixels": rewritten(lambda data: _png(256, 256)),
    "with a wrong checksum": rewritten(lambda data: data[:30] + b"\0" + data[31:]),
}
AFTER: dict[str, Spoil] = {**BROKEN, "another one": rewritten(lambda data: _drawn((256, 256)))}
FOLDERS = {
    "propose": "--image-folder",
    "train": "--image-folder",
    "predict_held_out": "--val-image-folder",
    "report": "--image-folder",
}
UNKNOWN_AFTER = {("train", "another one"), ("predict_held_out", "another one")}  # of no digest
CASES = [
    *(("prepare", "--image-folder", name, how) for name, how in BEFORE.items()),
    *(
        (program, flag, name, how)
        for program, flag in FOLDERS.items()
        for name, how in AFTER.items()
        if (program, name) not in UNKNOWN_AFTER
    ),
]


def _of_its_shard(job: Job) -> str:
    """The name of a photograph that a job has to look at."""
    if "--shard" not in job.words:
        return "000001.png"
    shard = job.words[job.words.index("--shard") + 1]
    rows = shard_images(job.paths("--images")[-1], shard)
    return str(rows.column("file_name")[0])


@pytest.mark.parametrize(
    ("program", "flag", "name", "how"), CASES, ids=[f"{c[0]}, {c[2]}" for c in CASES]
)
def test_a_photograph_that_is_none_is_refused(
    program: str, flag: str, name: str, how: Spoil, run: Finished, kept: dict[Path, bytes]
) -> None:
    job = run.jobs[program]
    shutil.rmtree("results/tiny/answers", ignore_errors=True)  # so that propose has to look
    path = job.paths(flag)[-1] / _of_its_shard(job)
    with spoilt(path, how):
        outcome = attempt(program, job.words)
    assert_one_sentence(outcome, program, path.name)
    assert contents(run.folder) == kept
