"""What a mask says of itself, counted by hand on 10 x 20 px."""

import numpy as np
import pytest

from stages.grading.mask_evidence import MASK_EVIDENCE, mask_evidence

BOX = np.array([2.0, 3.0, 12.0, 7.0], dtype=np.float32)


def evidence(
    mask: np.ndarray, points: list[tuple[float, float]] | None = None, *, is_given: bool = False
) -> dict[str, float]:
    own = None if points is None else np.array(points)
    found = mask_evidence(mask, BOX, own, is_given=is_given)
    return dict(zip(MASK_EVIDENCE, found.tolist(), strict=True))


def drawn(*spans: tuple[int, int]) -> np.ndarray:
    """Rows 3 to 7 of some columns, half-open."""
    mask = np.zeros((10, 20), dtype=np.uint8)
    for start, end in spans:
        mask[3:7, start:end] = 1
    return mask


def test_a_filled_box_is_whole_and_fits() -> None:
    found = evidence(drawn((2, 12)))
    wanted = {"pieces": 1.0, "extent": 1.0, "size": np.sqrt(0.2), "border": 0.0, "refined_fit": 1.0}
    assert {name: found[name] for name in wanted} == pytest.approx(wanted)
    assert np.isnan([found[name] for name in ("inside", "depth", "given_fit")]).all()


def test_a_given_box_is_told_apart() -> None:
    found = evidence(drawn((2, 7)), is_given=True)
    assert found["given_fit"] == pytest.approx(0.5)
    assert np.isnan(found["refined_fit"])


def test_the_largest_piece_counts() -> None:
    found = evidence(drawn((2, 8), (10, 12)))
    assert found["pieces"] == pytest.approx(0.75)
    assert found["extent"] == pytest.approx(0.8)


@pytest.mark.parametrize(("start", "end"), [(0, 5), (15, 20)])
def test_the_border_of_the_image_cuts(start: int, end: int) -> None:
    assert evidence(drawn((start, end)))["border"] == 1.0


def test_own_points_lie_inside_and_how_deep_the_first_one_is() -> None:
    found = evidence(drawn((2, 12)), [(7.5, 4.5), (19.0, 9.0)])
    assert found["inside"] == 0.5
    assert found["depth"] == 1.0
    assert evidence(drawn((2, 12)), [(7.5, 3.5)])["depth"] == pytest.approx(0.5, abs=0.1)
    assert evidence(drawn((2, 12)), [(0.0, 0.0)])["depth"] == 0.0
