"""The benchmark of masks runs, and finds hotcoco's results equal."""

import pytest

from benchmarks.bench_masks import main, verdict

OURS = ("masks_to_rles", "hotcoco")


def test_every_way_is_timed_and_compared(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COCO_TINY", raising=False)
    main(["--rounds", "1", "--masks", "1", "--images", "2", "--copies", "1"])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    ours = [words for words in lines if words and words[0].strip(",") in OURS]
    assert [words[-1] for words in ours] == ["equal"] * 7


def test_a_difference_is_said_in_numbers() -> None:
    assert verdict([b"\0" * 8], [b"\0" * 8]) == "equal"
    assert verdict([b"\0" * 6 + b"\xf0\x3f"], [b"\0" * 8]) == "off by 1.0e+00"
    assert verdict([{"counts": b"04"}], [{"counts": b"13"}]) == "differs"
