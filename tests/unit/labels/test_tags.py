"""Tags of an image: one label per class, whatever else was given or taken back."""

from typing import Any

import pytest

from stages.labels.tags import tags_of
from tests.bag_tables import label, labels


def tag(label_id: int, category_id: int, **more: Any) -> dict[str, Any]:
    return label(1, label_id, "tag", category_id=category_id, **more)


CASES = [
    ("nothing", [], {}),
    ("no tags", [label(1, 5), label(1, 6, "box"), label(1, 7, "mask")], {}),
    ("one", [tag(4, 10)], {10: 4}),
    ("in order of the classes", [tag(1, 30), tag(2, 10), tag(3, 20)], {10: 2, 20: 3, 30: 1}),
    ("of two tags the first", [tag(3, 10), tag(8, 10)], {10: 3}),
    ("a deleted one does not count", [tag(3, 10, status="deleted"), tag(8, 10)], {10: 8}),
    ("corrected ones count", [tag(3, 10, status="corrected"), label(1, 9)], {10: 3}),
]


@pytest.mark.parametrize(("rows", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_tags_are_one_label_per_class(rows: list[dict[str, Any]], wanted: dict[int, int]) -> None:
    found = tags_of(labels(*rows))
    assert found == wanted
    assert list(found) == list(wanted)
