"""JSON of our own programs: read as it is, or one sentence that says what to run again."""

from pathlib import Path

import pytest

from stages.runtime.json_files import read_json


def test_the_value_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"a": [1, null]}')
    assert read_json(path, "metrics", "evaluate") == {"a": [1, None]}


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff"], ids=["none", "empty", "cut", "odd"])
def test_what_is_no_json_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.json: no metrics \(.*\)\. Rerun evaluate\.$"):
        read_json(path, "metrics", "evaluate")
