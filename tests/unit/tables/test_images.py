"""Which shard an image goes to: by its id alone."""

from collections import Counter
from pathlib import Path

from stages.tables.images import IMAGES, shard_images, shard_of
from tests.sound_rows import image_row, write_rows


def test_one_shard_holds_every_image() -> None:
    assert {shard_of(number, 1) for number in range(50)} == {0}


def test_shards_are_about_even_and_known_for_ever() -> None:
    counts = Counter(shard_of(number, 8) for number in range(4000))
    assert set(counts) == set(range(8))
    assert max(counts.values()) < 1.25 * min(counts.values())
    assert [shard_of(number, 128) for number in (0, 1, 2**51)] == [56, 97, 96]


def test_the_images_of_a_shard_are_found_by_its_name(tmp_path: Path) -> None:
    rows = [image_row(number, shard=shard) for number, shard in ((1, 0), (2, 2), (3, 0))]
    path = write_rows(tmp_path / "images.parquet", IMAGES, rows)
    for name, wanted in (("0000-of-0003", [1, 3]), ("0001-of-0003", []), ("0002-of-0003", [2])):
        assert shard_images(path, name).column("image_id").to_pylist() == wanted
