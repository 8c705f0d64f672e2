import numpy as np
import pytest

from stages.geometry.masks import masks_to_rles
from stages.labels.agreement import Convention, box_agreement, ignore_misfits
from stages.labels.merge_smaller import merge_smaller
from tests.pseudo_labels import GOLDEN, golden_labels, pseudo_label, rectangle_mask

CASE = GOLDEN["proxy_box_agreement"]
CONVENTIONS: tuple[Convention, ...] = ("half_open", "authors")
SIZE = 100, 100


def square(side: int) -> np.ndarray:
    return rectangle_mask(SIZE, (0, 0, side, side))


def test_no_labels_stay_none() -> None:
    assert ignore_misfits([], threshold=0.95) == []


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_golden_agreements_are_those_of_the_merged_masks(convention: Convention) -> None:
    judged = ignore_misfits(
        merge_smaller(golden_labels()), threshold=0.5, box="given", convention=convention
    )
    seen = [label.agreement for label in judged]
    np.testing.assert_allclose(
        np.array(seen, dtype=float), CASE[f"agreement_{convention}"], atol=1e-5
    )


@pytest.mark.parametrize("threshold", CASE["keep_authors"])
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_golden_masks_are_kept_strictly_above_the_threshold(
    convention: Convention, threshold: str
) -> None:
    merged = merge_smaller(golden_labels())
    judged = ignore_misfits(merged, threshold=float(threshold), box="given", convention=convention)
    keep = CASE[f"keep_{convention}"][threshold]
    # the authors keep an empty mask at threshold 0: there are no pixels to train on
    wanted = [kept and label.area > 0 for kept, label in zip(keep, merged, strict=True)]
    assert [label.mask_weight > 0 for label in judged] == wanted
    passes = [label.agreement > float(threshold) for label in judged if label.agreement is not None]
    assert passes == keep


@pytest.mark.parametrize(
    "case", CASE["small_object_bias_authors"], ids=lambda c: str(c["perfect_square_mask_side"])
)
def test_the_authors_measure_small_perfect_masks_low(case: dict[str, float]) -> None:
    side = int(case["perfect_square_mask_side"])
    rle = masks_to_rles(square(side)[None])[0]
    box = np.array([0, 0, side, side], dtype=np.float32)
    assert box_agreement(rle, box, "authors") == pytest.approx(case["agreement"], abs=1e-6)
    assert box_agreement(rle, box) == 1


@pytest.mark.parametrize(("threshold", "side"), CASE["smallest_square_side_that_can_pass"].items())
def test_the_smallest_square_that_passes_as_the_authors_measure(threshold: str, side: int) -> None:
    for tried, weight in ((side - 1, 0), (side, 1)):
        label = pseudo_label(0, square(tried))
        judged = ignore_misfits([label], threshold=float(threshold), convention="authors")
        assert judged[0].mask_weight == weight
    assert ignore_misfits([pseudo_label(0, square(1))], threshold=float(threshold))[0].mask_weight


@pytest.mark.parametrize(("convention", "wanted"), [("half_open", 0), ("authors", 1 / 36)])
def test_an_empty_mask_agrees_with_nothing_or_is_the_authors_first_pixel(
    convention: Convention, wanted: float
) -> None:
    rle = masks_to_rles(np.zeros((1, 9, 9), dtype=bool))[0]
    box = np.array([0, 0, 5, 5], dtype=np.float32)
    assert box_agreement(rle, box, convention) == pytest.approx(wanted)


def test_sides_that_float32_makes_a_little_shorter_are_not_cut_by_a_pixel() -> None:
    box = np.array([0.9, 0.9, 9.9, 9.9], dtype=np.float32)
    assert float(box[2]) - float(box[0]) < 9
    rle = masks_to_rles(square(9)[None])[0]
    assert box_agreement(rle, box, "authors") == pytest.approx(81 / 100)


def test_equal_to_the_threshold_is_not_above_it() -> None:
    label = pseudo_label(0, rectangle_mask(SIZE, (0, 0, 10, 9)), given=(0, 0, 10, 10))
    assert ignore_misfits([label], threshold=0.9, box="given")[0].mask_weight == 0
    assert ignore_misfits([label], threshold=0.89, box="given")[0].mask_weight == 1


@pytest.mark.parametrize(
    ("box", "stand_in"),
    [("given", [40, 0, 100, 30]), ("refined", [20, 20, 30, 31.5])],
)
def test_a_misfit_goes_on_as_its_known_box_cut_at_the_border(
    box: str, stand_in: list[float]
) -> None:
    label = pseudo_label(
        0,
        square(10),
        given=(40, -3, 120, 30),
        refined=np.array([20, 20, 30, 31.5], dtype=np.float32),
    )
    judged = ignore_misfits([label], threshold=0.5, box=box)[0]  # type: ignore[arg-type]
    assert (judged.mask_weight, judged.agreement) == (0, 0)
    assert judged.untrusted == (
        "agreement: its box fits the known one with IoU 0.000, not above 0.5"
    )
    assert judged.stand_in.tolist() == stand_in
    assert judged.rle == label.rle


def test_a_mask_that_was_lost_before_keeps_its_box_and_does_not_come_back() -> None:
    left = np.array([1, 2, 3, 4], dtype=np.float32)
    label = pseudo_label(0, square(10), mask_weight=0.0, stand_in=left, untrusted="why")
    judged = ignore_misfits([label], threshold=0.5)[0]
    assert judged.untrusted == "why"
    assert (judged.mask_weight, judged.agreement) == (0, 1)
    assert judged.stand_in is left


def test_a_label_without_a_given_box_stays_as_it_is() -> None:
    label = pseudo_label(7, square(5))
    (judged,) = ignore_misfits([label], threshold=0.5, box="given")
    assert judged is label
