"""Fetching a published weight file: with a progress line, resumable, verified before it appears."""

import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

from stages.runtime.program import say
from stages.runtime.provenance import sha256_of
from stages.segmenters.published import is_of

BLOCK = 1 << 20  # bytes
SECONDS_BETWEEN_LINES = 10.0
TIMEOUT = 60.0  # s without a byte


def download(url: str, out: Path, sha256: str) -> None:
    """Fetch `url` to `out`, going on where an earlier attempt stopped.

    Parameters
    ----------
    out : appears only when it is complete and its checksum is right; until then `<out>.partial`.
    sha256 : in hexadecimal; where no more is known, its first digits.

    Raises
    ------
    ValueError : no connection, a refusal, or a wrong checksum; says what to do by hand.
    """
    partial = out.with_name(out.name + ".partial")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        _fetch(url, partial)
    except (urllib.error.URLError, HTTPException, OSError) as error:
        raise ValueError(
            f"{url}: could not be fetched ({error}). What has arrived is kept in {partial}. Run "
            "again to go on; on a machine without a network, fetch it elsewhere and put it at "
            f"{out}."
        ) from error
    seen = sha256_of(partial)
    if not is_of(seen, sha256):
        partial.unlink()
        raise ValueError(
            f"{url}: the sha256 of what arrived is {seen}, but one that begins with {sha256} is "
            "wanted. It was removed; run again, and if it comes back, fetch the file another way."
        )
    partial.replace(out)


def _fetch(url: str, partial: Path) -> None:
    """Append to `partial` what is still missing of `url`."""
    have = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # the earlier attempt had everything
            return
        raise
    with response:
        resumed = response.status == 206
        have = have if resumed else 0
        total = have + int(response.headers.get("Content-Length") or 0)
        with partial.open("ab" if resumed else "wb") as file:
            _copy(response, file, have, total)
    if total and partial.stat().st_size < total:
        raise ConnectionError(f"the connection ended after {partial.stat().st_size} bytes")


def _copy(response: object, file: object, have: int, total: int) -> None:
    start = line = time.monotonic()
    done = have
    while block := response.read(BLOCK):  # type: ignore[attr-defined]
        file.write(block)  # type: ignore[attr-defined]
        done += len(block)
        if time.monotonic() - line > SECONDS_BETWEEN_LINES or done == total:
            line = time.monotonic()
            rate = (done - have) / max(line - start, 1e-9) / 1e6
            say("fetch", f"{done / 1e6:.0f} of {total / 1e6:.0f} MB  {rate:.1f} MB/s")
