"""Fetching a published weight file: with a progress line, resumable, verified before it appears."""

import os
import stat
import time
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO

from stages.runtime.program import say
from stages.runtime.provenance import sha256_of
from stages.segmenters.published import is_of

BLOCK = 1 << 20  # bytes
SECONDS_BETWEEN_LINES = 10.0
TIMEOUT = 60.0  # s without a byte
SCHEMES = ("https://", "http://")


def download(url: str, out: Path, sha256: str, *, most: int) -> None:
    """Fetch `url` to `out`, going on where an earlier attempt stopped.

    Parameters
    ----------
    out : appears only when it is complete and its checksum is right; until then `<out>.partial`,
        which is never written through a link.
    sha256 : in hexadecimal; where no more is known, its first digits.
    most : bytes that the file has at most; whoever announces more, or nothing, is not read.

    Raises
    ------
    ValueError : no connection, a refusal, more bytes than there may be, a wrong checksum, or a
        link where the file is to be written; says what to do by hand.
    """
    if not url.startswith(SCHEMES):
        raise ValueError(f"{url}: an address begins with {' or '.join(SCHEMES)}. Correct it.")
    partial = out.with_name(out.name + ".partial")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        _fetch(url, partial, most)
    except (urllib.error.URLError, HTTPException, OSError) as error:
        raise ValueError(
            f"{url}: could not be fetched ({error}). What has arrived is kept in {partial}. Run "
            "again to go on; on a machine without a network, fetch it elsewhere and put it at "
            f"{out}."
        ) from error
    finally:
        if partial.is_file() and not partial.stat().st_size:
            partial.unlink()
    seen = sha256_of(partial)
    if not is_of(seen, sha256):
        partial.unlink()
        raise ValueError(
            f"{url}: the sha256 of what arrived is {seen}, but one that begins with {sha256} is "
            "wanted. It was removed; run again, and if it comes back, fetch the file another way."
        )
    partial.replace(out)


def _fetch(url: str, partial: Path, most: int) -> None:
    """Append to `partial` what is still missing of `url`."""
    with _opened(partial) as file:
        have = file.seek(0, os.SEEK_END)
        request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
        try:
            response = urllib.request.urlopen(request, timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            if error.code == 416:  # the earlier attempt had everything
                return
            raise
        with response:
            have = have if response.status == 206 else 0  # else it begins anew
            total = have + _announced(response, url)
            if total > most:
                raise ValueError(
                    f"{url}: {total} bytes are announced, and this file has {most} at most. "
                    "Nothing was read of it; fetch the file another way."
                )
            file.seek(have)
            file.truncate()
            _copy(response, file, have, total)
        if (seen := file.tell()) < total:
            raise ConnectionError(f"the connection ended after {seen} bytes")


def _opened(partial: Path) -> BinaryIO:
    """The file of what has arrived, made where it is missing; raises ValueError for a link."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(partial, flags, 0o644)
    except OSError as error:
        if partial.is_symlink():
            raise ValueError(_elsewhere(partial)) from error
        raise
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        os.close(descriptor)
        raise ValueError(_elsewhere(partial))
    return os.fdopen(descriptor, "r+b")


def _elsewhere(partial: Path) -> str:
    return (
        f"{partial}: a link, or no plain file; what is fetched would be written elsewhere. "
        "Remove it, and run again."
    )


def _announced(response: HTTPResponse, url: str) -> int:
    """Bytes that are to come."""
    length = response.headers.get("Content-Length") or ""
    if not length.isdecimal():
        raise ValueError(
            f"{url}: the server does not say how long the file is. Nothing was read of it; name "
            "another address (python -m stages.fetch --url), or fetch the file another way."
        )
    return int(length)


def _copy(response: HTTPResponse, file: BinaryIO, have: int, total: int) -> None:
    start = line = time.monotonic()
    done = have
    while block := response.read(min(BLOCK, total - done)):
        file.write(block)
        done += len(block)
        if time.monotonic() - line > SECONDS_BETWEEN_LINES or done == total:
            line = time.monotonic()
            rate = (done - have) / max(line - start, 1e-9) / 1e6
            say("fetch", f"{done / 1e6:.0f} of {total / 1e6:.0f} MB  {rate:.1f} MB/s")
