from stages.runtime.randomness import Purpose, rng_of


def test_every_purpose_has_a_number_of_its_own() -> None:
    numbers = [purpose.value for purpose in Purpose.__members__.values()]
    assert len(set(numbers)) == len(numbers) == len(Purpose.__members__)  # aliases would be equal


def test_numbers_differ_by_seed_purpose_and_what_is_drawn_for() -> None:
    drawn = [
        rng_of(0, Purpose.POINT, 1).random(),
        rng_of(1, Purpose.POINT, 1).random(),
        rng_of(0, Purpose.FLIP, 1).random(),
        rng_of(0, Purpose.POINT, 2).random(),
    ]
    assert len(set(drawn)) == 4
    assert rng_of(0, Purpose.POINT, 1).random() == drawn[0]
