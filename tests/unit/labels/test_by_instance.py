"""Labels by the object that they are about."""

from stages.labels.by_instance import labels_of_instances
from tests.bag_tables import label, labels


def test_objects_are_known_by_the_labels_that_are_left() -> None:
    rows = [
        label(1, 4, status="deleted"),
        label(1, 5, instance_id=9, bag_id=9),
        label(1, 6, "tag"),
        label(1, 7, "box"),
        label(1, 8, "mask", instance_id=9, bag_id=9),
    ]
    found = labels_of_instances(labels(*rows))
    assert {key: [row["label_id"] for row in rows] for key, rows in found.items()} == {
        7: [7],
        9: [5, 8],
    }
    assert list(found) == [7, 9]
