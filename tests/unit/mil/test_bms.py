"""BMS: both readings against the algorithms written out as loops."""

import pytest
import torch

from stages.mil.bms import RULES, Thresholds, mined_boxes

GENERATOR = torch.Generator().manual_seed(0)
Box = list[float]


def area(box: Box) -> float:
    return max(box[2] - box[0], 0) * max(box[3] - box[1], 0)


def iou_of(a: Box, b: Box) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inner = max(width, 0) * max(height, 0)
    return inner / (area(a) + area(b) - inner)


def inside(inner: Box, outer: Box, tolerance: float) -> bool:
    low = all(o - tolerance <= i for i, o in zip(inner[:2], outer[:2], strict=True))
    return low and all(o + tolerance >= i for i, o in zip(inner[2:], outer[2:], strict=True))


def merged(box: Box, other: Box, weight: float) -> Box:
    return [(a + weight * b) / (1 + weight) for a, b in zip(box, other, strict=True)]


def looped_paper(selected: Box, bag: list[Box], tolerance: float) -> tuple[Box, str]:
    """Algorithm 2: box_select stays, each rule keeps its best IoU, the first rule wins."""
    best, t1, t2, rule = selected, 0.6, 0.3, "none"
    for prop in bag:
        if area(prop) <= area(selected):
            continue
        iou = iou_of(prop, selected)
        if iou > t1:
            best, t1, rule = merged(prop, selected, iou), iou, "overlap"
        elif rule != "overlap" and inside(selected, prop, tolerance) and iou > t2:
            best, t2, rule = merged(selected, prop, iou), iou, "contain"
    return best, rule


def looped_code(selected: Box, bag: list[Box], tolerance: float) -> tuple[Box, str]:
    """In place: IoU against the merged box, the area gate of the last merged proposal."""
    current, gate, best, rule = selected, area(selected), 0.0, "none"
    for prop in bag:
        iou = iou_of(prop, current)
        if area(prop) <= gate or iou <= best:
            continue
        if iou > 0.6:
            current, gate, best, rule = merged(prop, current, iou), area(prop), iou, "overlap"
        elif iou > 0.3 and inside(current, prop, tolerance):
            current, gate, best, rule = merged(current, prop, iou), area(prop), iou, "contain"
    return current, rule


def bags(count: int, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes (count, 4) and proposals (count, k, 4) that often overlap or enclose them."""
    centre = torch.rand(count, 1, 2, generator=GENERATOR, dtype=torch.float64) * 20 + 100
    shift = torch.randn(count, k + 1, 2, generator=GENERATOR, dtype=torch.float64) * 4
    half = torch.rand(count, k + 1, 2, generator=GENERATOR, dtype=torch.float64) * 30 + 20
    boxes = torch.cat([centre + shift - half, centre + shift + half], dim=-1)
    return boxes[:, 0], boxes[:, 1:]


@pytest.mark.parametrize("tolerance", [0.0, 2.0])
@pytest.mark.parametrize(("mode", "slow"), [("paper", looped_paper), ("code", looped_code)])
def test_mined_boxes_equal_the_loop(mode: str, slow: object, tolerance: float) -> None:
    selected, proposals = bags(500, 4)
    usable = torch.rand(500, 4, generator=GENERATOR) < 0.8
    limits = Thresholds(0.6, 0.3, tolerance)
    seen, rules = mined_boxes(selected, proposals, usable, limits, mode=mode)
    found = set()
    for i in range(500):
        mine = [b for b, ok in zip(proposals[i].tolist(), usable[i].tolist(), strict=True) if ok]
        box, rule = slow(selected[i].tolist(), mine, tolerance)  # type: ignore[operator]
        assert seen[i].tolist() == pytest.approx(box)
        assert RULES[int(rules[i])] == rule
        found.add(rule)
    assert found == set(RULES)


@pytest.mark.parametrize("mode", ["paper", "code", "none"])
@pytest.mark.parametrize(("objects", "k"), [(0, 3), (2, 0)])
def test_nothing_to_mine_leaves_the_boxes(objects: int, k: int, mode: str) -> None:
    selected, proposals = bags(objects, k)
    usable = torch.ones(objects, k, dtype=torch.bool)
    seen, rules = mined_boxes(selected, proposals, usable, Thresholds(), mode=mode)
    assert torch.equal(seen, selected)
    assert rules.tolist() == [0] * objects


def test_mode_none_leaves_the_boxes() -> None:
    selected, proposals = bags(9, 3)
    usable = torch.ones(9, 3, dtype=torch.bool)
    seen, rules = mined_boxes(selected, proposals, usable, Thresholds(), mode="none")
    assert torch.equal(seen, selected)
    assert not rules.any()


@pytest.mark.parametrize(
    ("outer", "rule"),
    [([99.0, 101, 160, 160], "contain"), ([103.0, 100, 160, 160], "none")],
    ids=["within 2 px", "beyond 2 px"],
)
def test_contain_allows_the_tolerance(outer: Box, rule: str) -> None:
    selected = torch.tensor([[100.0, 100, 140, 140]])
    usable = torch.ones(1, 1, dtype=torch.bool)
    _, rules = mined_boxes(selected, torch.tensor([[outer]]), usable, Thresholds(), mode="paper")
    assert RULES[int(rules[0])] == rule


def test_unknown_mode_is_refused() -> None:
    selected, proposals = bags(1, 1)
    with pytest.raises(ValueError, match="paper, code or none"):
        mined_boxes(selected, proposals, torch.ones(1, 1).bool(), Thresholds(), mode="mean")
