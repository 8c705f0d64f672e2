"""Pixels are read image after image over all shards, and tables that do not add up are told."""

from pathlib import Path

import numpy as np
import pytest

from stages.learning.prototype_pixels import PixelReader, opened_sources
from stages.photographs.reading import photograph
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.table import read_table, write_table
from tests.colour_teacher import ColourTeacher
from tests.taught_set import TaughtSet, build_taught_set


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> TaughtSet:
    return build_taught_set(tmp_path_factory.mktemp("taught"))


def opened(drawn: TaughtSet) -> PixelReader:
    return PixelReader(opened_sources(drawn.args(Path("unused"))), ColourTeacher, sure=0.7)


def test_what_is_known_at_once(drawn: TaughtSet) -> None:
    sources = opened_sources(drawn.args(Path("unused")))
    assert list(sources.classes_of) == list(range(1, 7))
    assert set(sources.classes_of.values()) == {frozenset([10, 20])}
    assert sources.objects == 12


def test_images_of_two_shards_come_in_turn_and_may_be_left_out(drawn: TaughtSet) -> None:
    reader = opened(drawn)
    seen = {number: reader(number) for number in (1, 2, 5)}
    anew = opened(drawn)
    for number, found in seen.items():
        assert list(found) == [10, 20]
        for category_id, features in anew(number).items():
            assert (features == found[category_id]).all()


def test_features_are_of_the_image_itself(drawn: TaughtSet) -> None:
    sources = opened_sources(drawn.args(Path("unused")))
    teacher = ColourTeacher()
    teacher.embed(photograph(drawn.folder, sources.images[4]))
    cells = teacher.mask_features().reshape(4, -1).T
    known = cells / np.linalg.norm(cells, axis=1, keepdims=True)
    for features in opened(drawn)(4).values():
        for row in features:
            assert np.abs(known - row).max(axis=1).min() < 1e-6


def test_an_image_without_choices_is_told(tmp_path: Path) -> None:
    drawn = build_taught_set(tmp_path / "taught")
    for path in drawn.files("selections"):
        rows = read_table(path, SELECTIONS)
        write_table(path, rows.slice(2), SELECTIONS, {"seed": 0})
    with pytest.raises(ValueError, match=r"image 1: a table of propose or select lacks its rows"):
        opened(drawn)(1)


def test_nothing_to_learn_from_is_told(tmp_path: Path) -> None:
    drawn = build_taught_set(tmp_path / "taught")
    for path in drawn.files("proposals"):
        write_table(path, PROPOSALS.schema.empty_table(), PROPOSALS, {"seed": 0})
    with pytest.raises(ValueError, match=r"no proposals to make prototypes of\. Set prepare"):
        opened_sources(drawn.args(Path("unused")))
