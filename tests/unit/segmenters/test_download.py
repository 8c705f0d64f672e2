"""Fetching weights from a local HTTP server: whole, resumed, damaged, refused."""

import hashlib
import os
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
from stages.segmenters.published import IMAGENET, PUBLISHED, is_of
from stages.segmenters.published import MOST as BYTES

CONTENT = bytes(range(256)) * 5000
MOST = len(CONTENT)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT, with ranges unless told otherwise, and can break off in the middle."""

    ranges = True
    break_after: int | None = None
    tells = True
    seen: list[str | None] = []  # noqa: RUF012

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.seen.append(asked)
        start = int(asked.split("=")[1].rstrip("-")) if asked and self.ranges else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if self.tells:
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
    download(server, tmp_path / "new" / "w.pth", DIGEST, most=MOST)
    assert (tmp_path / "new" / "w.pth").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["w.pth"]


def test_download_goes_on_where_it_was_cut(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "break_after", 100_000)
    with pytest.raises(ValueError, match="could not be fetched"):
        download(server, tmp_path / "w.pth", DIGEST, most=MOST)
    assert not (tmp_path / "w.pth").exists()
    monkeypatch.setattr(Handler, "break_after", None)
    download(server, tmp_path / "w.pth", DIGEST, most=MOST)
    assert Handler.seen == [None, "bytes=100000-"]
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_download_starts_anew_where_ranges_are_unknown(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "ranges", False)
    (tmp_path / "w.pth.partial").write_bytes(CONTENT[:1000])
    download(server, tmp_path / "w.pth", DIGEST, most=MOST)
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_download_accepts_a_partial_file_that_is_complete(server: str, tmp_path: Path) -> None:
    (tmp_path / "w.pth.partial").write_bytes(CONTENT)
    download(server, tmp_path / "w.pth", DIGEST, most=MOST)
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_download_refuses_a_wrong_checksum(server: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="sha256 of what arrived"):
        download(server, tmp_path / "w.pth", "0" * 64, most=MOST)
    assert list(tmp_path.iterdir()) == []


def test_download_is_content_with_the_first_digits(server: str, tmp_path: Path) -> None:
    download(server, tmp_path / "w.pth", DIGEST[:8], most=MOST)
    assert (tmp_path / "w.pth").read_bytes() == CONTENT
    with pytest.raises(ValueError, match=f"begins with {'0' * 8} is wanted"):
        download(server, tmp_path / "v.pth", "0" * 8, most=MOST)
    assert not (tmp_path / "v.pth").exists()


def test_download_says_what_to_do_offline(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fetch it elsewhere and put it at"):
        download("http://127.0.0.1:9/none.pth", tmp_path / "w.pth", DIGEST, most=MOST)


@pytest.mark.parametrize("link", ["symbolic", "dangling", "hard", "folder", "fifo"])
def test_download_writes_through_no_link(link: str, server: str, tmp_path: Path) -> None:
    other, partial = tmp_path / "other", tmp_path / "w.pth.partial"
    if link in ("symbolic", "hard"):
        other.write_bytes(b"mine")
    make = {
        "symbolic": lambda: partial.symlink_to(other),
        "dangling": lambda: partial.symlink_to(other),
        "hard": lambda: partial.hardlink_to(other),
        "folder": partial.mkdir,
        "fifo": lambda: os.mkfifo(partial),
    }
    make[link]()
    with pytest.raises(ValueError, match=r"w\.pth\.partial"):
        download(server, tmp_path / "w.pth", DIGEST, most=MOST)
    assert not (tmp_path / "w.pth").exists()
    assert (other.read_bytes() if other.exists() else None) == (
        b"mine" if link in ("symbolic", "hard") else None
    )


def test_download_replaces_a_link_that_bears_the_files_name(server: str, tmp_path: Path) -> None:
    (tmp_path / "w.pth").symlink_to(tmp_path / "other")
    download(server, tmp_path / "w.pth", DIGEST, most=MOST)
    assert not (tmp_path / "w.pth").is_symlink()
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("have", [0, 1000])
def test_download_reads_nothing_of_a_file_that_is_too_long(
    have: int, server: str, tmp_path: Path
) -> None:
    if have:
        (tmp_path / "w.pth.partial").write_bytes(CONTENT[:have])
    with pytest.raises(ValueError, match=f"{MOST} bytes are announced, .* {MOST - 1} at most"):
        download(server, tmp_path / "w.pth", DIGEST, most=MOST - 1)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == have


def test_download_wants_to_know_how_long_a_file_is(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "tells", False)
    with pytest.raises(ValueError, match="does not say how long the file is"):
        download(server, tmp_path / "w.pth", DIGEST, most=MOST)
    assert list(tmp_path.iterdir()) == []


def test_download_opens_no_file_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "own").write_bytes(CONTENT)
    with pytest.raises(ValueError, match="an address begins with https://"):
        download((tmp_path / "own").as_uri(), tmp_path / "w.pth", DIGEST, most=MOST)


@pytest.mark.parametrize(
    "folder", ["..", "a/..", "/tmp", "../{here}/a"], ids=["up", "around", "absolute", "back"]
)
def test_fetch_writes_below_the_working_folder_alone(
    folder: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    out = f"{folder.format(here='work')}/resnet50-0676ba61.pth"
    with pytest.raises(ValueError, match="nothing is fetched to a place outside of the working"):
        fetch.main(["--out", out, "--url", server])
    assert Handler.seen == []


def test_fetch_knows_only_official_names(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none of sam_vit_h_4b8939\.pth"):
        fetch.main(["--out", str(tmp_path / "other.pth")])


def test_fetch_refuses_other_content_under_an_official_name(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="is wanted"):
        fetch.main(["--out", str(tmp_path / "sam_vit_b_01ec64.pth"), "--url", server])


def test_fetch_brings_what_a_network_starts_from(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"net-{DIGEST[:8]}.pth"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(fetch.PUBLISHED, name, OfficialWeights("resnet18", server, DIGEST[:8]))
    fetch.main(["--out", name])
    assert (tmp_path / name).read_bytes() == CONTENT
    with pytest.raises(ValueError, match="begins with 0676ba61 is wanted"):
        fetch.main(["--out", "weights/resnet50-0676ba61.pth", "--url", server])


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


def test_every_published_file_has_a_bound_that_its_length_keeps() -> None:
    assert {known.model for known in PUBLISHED.values()} == set(BYTES)
    kinds = (ResNet18_Weights, ResNet50_Weights, ResNet101_Weights, VGG16_Weights)
    for weights in (each for kind in kinds for each in kind):
        known = PUBLISHED.get(weights.url.rsplit("/", 1)[1])
        if known:
            length = weights.meta["_file_size"] * 2**20
            assert length < BYTES[known.model] < 1.01 * length
