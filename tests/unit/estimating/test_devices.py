"""Published throughputs, and what is made of them."""

import pytest

from stages.estimating.devices import DEVICES, IMAGES, rate_on, told_of

WORK = 6e12


def test_the_measured_card_is_as_fast_as_it_was_measured() -> None:
    for precision, images in IMAGES.items():
        assert rate_on("a100", precision, WORK) == pytest.approx(images * WORK)
    assert "arithmetic" not in told_of("a100")


def test_another_card_has_the_same_share_of_its_own_peak() -> None:
    found, known = rate_on("h100", "float32", WORK), rate_on("a100", "float32", WORK)
    assert found
    assert known
    assert found / 67.0 == pytest.approx(known / 19.5)
    assert "arithmetic" in told_of("h100")
    assert "data sheet" in told_of("t4")


def test_what_a_card_has_no_number_for_is_not_made_up() -> None:
    assert rate_on("t4", "bfloat16", WORK) is None
    assert all(device.source for device in DEVICES.values())
