"""Random numbers are a function of the seed, the purpose and what they are drawn for."""

import numpy as np
import pytest

from stages.runtime.randomness import Purpose, rng_of


def test_a_number_stands_for_one_purpose() -> None:
    aliases = {name for name, purpose in Purpose.__members__.items() if purpose.name != name}
    assert not aliases
    assert [purpose.value for purpose in Purpose] == list(range(1, len(Purpose) + 1))


def test_equal_seed_purpose_and_numbers_draw_alike() -> None:
    assert rng_of(3, Purpose.STEP, 7).random() == rng_of(3, Purpose.STEP, 7).random()
    plain = np.random.default_rng([3, 6, 7]).random()  # as before purposes had names
    assert rng_of(3, Purpose.STEP, 7).random() == plain


@pytest.mark.parametrize(
    "other",
    [(4, Purpose.STEP, 7), (3, Purpose.START, 7), (3, Purpose.STEP, 8), (3, Purpose.STEP)],
    ids=["seed", "purpose", "number", "fewer numbers"],
)
def test_another_seed_purpose_or_number_draws_others(other: tuple[int, ...]) -> None:
    seed, purpose, *numbers = other
    assert rng_of(3, Purpose.STEP, 7).random() != rng_of(seed, Purpose(purpose), *numbers).random()
