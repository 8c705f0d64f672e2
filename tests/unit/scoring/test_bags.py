"""Bags of an image without rows; their columns are those of the records."""

import pytest

from stages.scoring.bags import COLUMNS, RECORDS, bags_of, chosen_of


def test_an_image_without_rows_has_no_bags_and_no_choices() -> None:
    assert bags_of(None) == {}
    assert chosen_of({"selections": None, "refinements": None}) == {}


@pytest.mark.parametrize("name", RECORDS)
def test_each_column_is_one_of_the_record(name: str) -> None:
    assert set(COLUMNS[name]) <= set(RECORDS[name].schema.names)
