"""Fetching weights from a local HTTP server: whole, resumed, damaged, refused."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stages import fetch
from stages.segmenters.download import download

CONTENT = bytes(range(256)) * 5000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT, with ranges unless told otherwise, and can break off in the middle."""

    ranges = True
    break_after: int | None = None
    seen: list[str | None] = []  # noqa: RUF012

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.seen.append(asked)
        start = int(asked.split("=")[1].rstrip("-")) if asked and self.ranges else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start:][: self.break_after])

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Handler, "seen", [])
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}/weights.pth"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_download_fetches_and_verifies(server: str, tmp_path: Path) -> None:
    download(server, tmp_path / "new" / "w.pth", DIGEST)
    assert (tmp_path / "new" / "w.pth").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["w.pth"]


def test_download_goes_on_where_it_was_cut(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "break_after", 100_000)
    with pytest.raises(ValueError, match="could not be fetched"):
        download(server, tmp_path / "w.pth", DIGEST)
    assert not (tmp_path / "w.pth").exists()
    monkeypatch.setattr(Handler, "break_after", None)
    download(server, tmp_path / "w.pth", DIGEST)
    assert Handler.seen == [None, "bytes=100000-"]
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_download_starts_anew_where_ranges_are_unknown(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "ranges", False)
    (tmp_path / "w.pth.partial").write_bytes(CONTENT[:1000])
    download(server, tmp_path / "w.pth", DIGEST)
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_download_accepts_a_partial_file_that_is_complete(server: str, tmp_path: Path) -> None:
    (tmp_path / "w.pth.partial").write_bytes(CONTENT)
    download(server, tmp_path / "w.pth", DIGEST)
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_download_refuses_a_wrong_checksum(server: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="sha256 of what arrived"):
        download(server, tmp_path / "w.pth", "0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_download_says_what_to_do_offline(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fetch it elsewhere and put it at"):
        download("http://127.0.0.1:9/none.pth", tmp_path / "w.pth", DIGEST)


def test_fetch_knows_only_official_names(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none of sam_vit_h_4b8939\.pth"):
        fetch.main(["--out", str(tmp_path / "other.pth")])


def test_fetch_refuses_other_content_under_an_official_name(server: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is wanted"):
        fetch.main(["--out", str(tmp_path / "sam_vit_b_01ec64.pth"), "--url", server])
