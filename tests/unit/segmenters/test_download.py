"""Fetching weights from a local HTTP server: whole, resumed, damaged, refused."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from torch.hub import HASH_REGEX
from torchvision.models import (
    ResNet18_Weights,
    ResNet50_Weights,
    ResNet101_Weights,
    VGG16_Weights,
)

from stages import fetch
from stages.segmenters.download import download
from stages.segmenters.official import OFFICIAL, OfficialWeights
from stages.segmenters.published import IMAGENET, is_of

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


def test_download_is_content_with_the_first_digits(server: str, tmp_path: Path) -> None:
    download(server, tmp_path / "w.pth", DIGEST[:8])
    assert (tmp_path / "w.pth").read_bytes() == CONTENT
    with pytest.raises(ValueError, match=f"begins with {'0' * 8} is wanted"):
        download(server, tmp_path / "v.pth", "0" * 8)
    assert not (tmp_path / "v.pth").exists()


def test_download_says_what_to_do_offline(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fetch it elsewhere and put it at"):
        download("http://127.0.0.1:9/none.pth", tmp_path / "w.pth", DIGEST)


def test_fetch_knows_only_official_names(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none of sam_vit_h_4b8939\.pth"):
        fetch.main(["--out", str(tmp_path / "other.pth")])


def test_fetch_refuses_other_content_under_an_official_name(server: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is wanted"):
        fetch.main(["--out", str(tmp_path / "sam_vit_b_01ec64.pth"), "--url", server])


def test_fetch_brings_what_a_network_starts_from(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"net-{DIGEST[:8]}.pth"
    monkeypatch.setitem(fetch.PUBLISHED, name, OfficialWeights("net", server, DIGEST[:8]))
    fetch.main(["--out", str(tmp_path / name)])
    assert (tmp_path / name).read_bytes() == CONTENT
    with pytest.raises(ValueError, match="begins with 0676ba61 is wanted"):
        fetch.main(["--out", str(tmp_path / "resnet50-0676ba61.pth"), "--url", server])


def test_a_published_name_bears_the_first_digits_of_its_checksum() -> None:
    for name, known in IMAGENET.items():
        assert name == known.url.rsplit("/", 1)[1]
        assert HASH_REGEX.search(name)[1] == known.sha256  # type: ignore[index]
        assert is_of(known.sha256 + "0" * 56, known.sha256)
    assert {len(known.sha256) for known in OFFICIAL.values()} == {64}
    assert not is_of(DIGEST, "")


def test_torchvisions_files_are_those_that_it_names_itself() -> None:
    kinds = (ResNet18_Weights, ResNet50_Weights, ResNet101_Weights, VGG16_Weights)
    urls = {weights.url for kind in kinds for weights in kind}
    ours = {known.url for known in IMAGENET.values() if "pytorch.org" in known.url}
    assert ours <= urls
