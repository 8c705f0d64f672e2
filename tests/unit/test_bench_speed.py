"""The benchmarks of start-up, scale and the encoder run, and print what they promise."""

import pytest

from benchmarks import bench_encoder, bench_labels, bench_scale, bench_startup


@pytest.mark.long
def test_each_stage_has_its_time_and_memory_at_two_sizes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bench_scale.main(["--images", "2", "4"])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[0] for row in rows] == list(bench_scale.STAGES)
    assert all(20 < float(row[4]) < 4000 for row in rows)


@pytest.mark.long
def test_programs_are_started_and_their_libraries_named(capsys: pytest.CaptureFixture[str]) -> None:
    bench_startup.main(["--programs", "tidy", "predict", "--rounds", "1"])
    lines = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines()[1:]}
    assert lines["stages.tidy"][2:] == []
    assert lines["stages.predict"][2:] == ["torch"]
    assert float(lines["stages.predict"][1]) > float(lines["stages.tidy"][1])


@pytest.mark.long
def test_labels_are_read_in_three_ways(capsys: pytest.CaptureFixture[str]) -> None:
    bench_labels.main(["--annotations", "400"])
    rows = [line.rsplit(maxsplit=3) for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[0] for row in rows] == ["whole", "several masks", "one mask"]
    assert all(float(row[2]) > 0 for row in rows)


def test_the_encoder_s_share_of_a_peak_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    bench_encoder.main(
        ["--model", "vit_tiny", "--images", "1", "2", "--peak", "1", "--seconds", "0"]
    )
    first, _, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert first[:5] == ["vit_tiny,", "attention", "stock,", "on", "cpu:"]
    assert [row[:2] for row in rows] == [
        [precision, count] for precision in ("float32", "bfloat16") for count in "12"
    ]
    work = float(first[5])
    for _, _, pace, reached, share in rows:
        assert float(reached) == pytest.approx(float(pace) * work, abs=1e-2)
        assert float(share.rstrip("%")) == pytest.approx(100 * float(reached), abs=0.2)
