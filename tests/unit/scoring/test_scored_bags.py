"""Bags as they are scored: cut by bag_id, with what answers the label's own prompt."""

from stages.scoring.scored_bags import BAG_COLUMNS, bags_of
from stages.tables.proposals import PROPOSALS
from stages.tables.table import rows_table
from tests.sound_rows import BOX, proposal_row


def test_an_image_without_rows_has_no_bags() -> None:
    assert bags_of(None) == {}


def test_bags_are_those_of_objects_and_the_bag_of_tags_is_left_out() -> None:
    rows = [
        proposal_row(1, -1),
        proposal_row(1, 3, 0),
        proposal_row(1, 3, 1, predicted_iou=0.25, area=7, mask_index=2),
        proposal_row(1, 8, 0),
    ]
    bags = bags_of(rows_table(PROPOSALS, rows).select(BAG_COLUMNS))
    assert list(bags) == [3, 8]
    bag = bags[3]
    assert bag.proposal_id.tolist() == [0, 1]
    assert bag.predicted_iou.tolist() == [0.875, 0.25]
    assert (bag.area.tolist(), bag.slot.tolist()) == ([24, 7], [0, 2])
    assert bag.boxes.tolist() == [BOX, BOX]
    assert len(bag.rles) == 2


def test_own_answers_are_those_to_the_label_itself_box_or_point() -> None:
    kinds = [
        ("point", None, True),
        ("box", None, True),
        ("inner_points", 0, False),
        ("boxes", 3, False),
        ("mirrored_point", None, False),
        ("mirrored_boxes", 1, False),
    ]
    rows = [
        proposal_row(1, 3, number, prompt_kind=kind, derived=derived)
        for number, (kind, derived, _) in enumerate(kinds)
    ]
    assert bags_of(rows_table(PROPOSALS, rows))[3].is_own.tolist() == [own for *_, own in kinds]
