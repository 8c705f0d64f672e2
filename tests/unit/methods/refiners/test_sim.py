"""The teacher's masks, corrected by the colours of their classes."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from stages.box_supervision.semantic_map import semantic_probability, similarity, unit_vectors
from stages.geometry.masks import rle_of, rles_to_masks
from stages.learning.prototype_fitting import fitted
from stages.learning.prototype_model import Prototypes, load_prototypes, save_prototypes
from stages.learning.teacher_pixels import TaughtObject, taught_objects
from stages.methods.kit import Kit
from stages.methods.refiners import sim
from stages.methods.refiners.sim import corrected, similarity_grids
from stages.photographs.reading import photograph
from stages.runtime.provenance import sha256_of
from stages.segmenters.segmenter import SEGMENTERS
from stages.settings.select import Select
from stages.tables.checks import validate
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.selections import SELECTIONS
from stages.tables.table import empty_table, read_table, read_tables, rows_by_image, rows_table
from stages.tables.trail import TRAIL
from stages.tables.weak_labels import WEAK_LABELS
from tests.colour_teacher import EMBEDDED, ColourTeacher
from tests.taught_set import (
    NAME,
    SMALL,
    TEACHER,
    TaughtSet,
    build_taught_set,
    propose,
    refine,
    unanswered,
)

CPU = torch.device("cpu")
CLASSES = (10, 20, 30)
Rows = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def _teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SEGMENTERS, NAME, TEACHER)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> TaughtSet:
    return build_taught_set(tmp_path_factory.mktemp("taught"))


@pytest.fixture
def model(drawn: TaughtSet) -> Path:
    path = drawn.folder / "prototypes.pt"
    if not path.exists():
        fitted(drawn.args(path), propose(), refine(SMALL), {})
    return path


def kit(drawn: TaughtSet, model: Path | None, **block: Any) -> Kit:
    section = refine({**SMALL, **block})
    teacher = drawn.folder / "teacher.pt"
    given = {"refine": section, "model": model, "propose_model": teacher}
    return Kit(drawn.folder, CLASSES, propose(), Select(), **given)  # type: ignore[arg-type]


def tables(drawn: TaughtSet) -> dict[int, tuple[dict[str, Any], pa.Table, pa.Table, pa.Table]]:
    """Of each image its row, its labels, proposals and selections."""
    images = {
        row["image_id"]: row
        for row in read_table(drawn.folder / "images.parquet", IMAGES).to_pylist()
    }
    labels = rows_by_image(read_table(drawn.folder / "weak_labels.parquet", WEAK_LABELS))
    proposals = rows_by_image(read_tables(drawn.files("proposals"), PROPOSALS))
    scores = rows_by_image(read_tables(drawn.files("selections"), SELECTIONS))
    return {k: (images[k], labels[k], proposals[k], scores[k]) for k in images}


def refined(opened: Kit, drawn: TaughtSet) -> tuple[Rows, Rows]:
    """Rows of all images, and of their trail."""
    refiner = sim.opened_refiner(opened, lambda: CPU)
    rows, trail = zip(*(refiner.labels(*each) for each in tables(drawn).values()), strict=True)
    found, steps = pa.concat_tables(rows), pa.concat_tables(trail)
    validate(found, PSEUDO_LABELS, "here")
    validate(steps, TRAIL, "here")
    return found.to_pylist(), steps.to_pylist()


def mask_of(row: dict[str, Any], name: str = "rle") -> np.ndarray:
    if row[name] is None:
        return np.zeros((row["height"], row["width"]), dtype=bool)
    return rles_to_masks([rle_of(row[name], row["height"], row["width"])])[0] > 0


def mean_iou(rows: Rows, drawn: TaughtSet, *, certain: bool = False) -> float:
    """With the true masks; certain: of the pixels that are decided."""
    found = []
    for row in rows:
        mask, truth = mask_of(row), drawn.truth[row["instance_id"]].copy()
        if certain:
            truth &= ~mask_of(row, "ignore_rle")
        found.append((mask & truth).sum() / (mask | truth).sum())
    return float(np.mean(found))


def test_an_image_without_proposals_has_no_label(drawn: TaughtSet, model: Path) -> None:
    image, labels, _, _ = tables(drawn)[1]
    refiner = sim.opened_refiner(kit(drawn, model), lambda: CPU)
    found = refiner.labels(image, labels, empty_table(PROPOSALS), empty_table(SELECTIONS))
    assert [len(table) for table in found] == [0, 0]


def test_masks_are_better_than_the_teacher_s(drawn: TaughtSet, model: Path) -> None:
    """Its ellipses cover a diamond and a quarter of its box besides."""
    rows, _ = refined(kit(drawn, model), drawn)
    assert len(rows) == len(drawn.truth)
    teacher = [
        row for _, _, proposals, _ in tables(drawn).values() for row in proposals.to_pylist()
    ]
    before = mean_iou([{**row, "instance_id": row["bag_id"]} for row in teacher], drawn)
    assert before < 0.7
    assert mean_iou(rows, drawn) > before + 0.02
    assert mean_iou(rows, drawn, certain=True) > 0.9
    for row in rows:
        assert (row["mask_source"], row["mask_weight"], row["box_given"]) == ("fused", 1, True)
        assert row["score"] == row["mask_quality"] > 0.7
        assert not (mask_of(row) & mask_of(row, "ignore_rle")).any()


def test_rows_are_those_of_the_formulas(drawn: TaughtSet, model: Path) -> None:
    """Pixel by pixel, with fixed thresholds."""
    limits = {"mode": "fixed", "high": 0.75, "low": 0.35}
    keys = kit(drawn, model, thresholds=limits, alpha=0.6, tau=0.5)
    rows, trail = refined(keys, drawn)
    prototypes = load_prototypes(model, CLASSES)
    teacher = ColourTeacher()
    image, labels, proposals, scores = tables(drawn)[3]
    teacher.embed(photograph(drawn.folder, image))
    grid = teacher.mask_features()
    one = taught_objects(image, labels, proposals, scores)[1]
    (row,) = (row for row in rows if row["instance_id"] == one.bag_id)
    (step,) = (s for s in trail if s["instance_id"] == one.bag_id and s["name"] == "semantic")
    known = prototypes.of(20)
    assert known is not None
    sure, total, seen = [], 0.0, 0
    mask, ignored = mask_of(row), mask_of(row, "ignore_rle")
    for y in range(image["height"]):
        for x in range(image["width"]):
            inside = one.part[0].start <= y < one.part[0].stop
            inside &= one.part[1].start <= x < one.part[1].stop
            if not inside:
                assert not mask[y, x]
                assert not ignored[y, x]
                continue
            chance = 1 / (1 + np.exp(-slow_cosine(grid, known, y, x) / 0.5))
            own = one.chances[y - one.part[0].start, x - one.part[1].start]
            value = 0.4 * chance + 0.6 * own
            if min(abs(value - 0.75), abs(value - 0.35)) > 1e-5:
                assert mask[y, x] == (value > 0.75)
                assert ignored[y, x] == (0.35 <= value <= 0.75)
            sure += [own] if mask[y, x] else []
            total, seen = total + chance, seen + 1
    assert row["score"] == pytest.approx(np.mean(sure), abs=1e-5)
    assert step["score"] == pytest.approx(total / seen, abs=1e-5)


def slow_cosine(grid: np.ndarray, prototypes: np.ndarray, y: int, x: int) -> float:
    """Largest cosines of the four cells about a pixel, by how near they are."""
    total = 0.0
    for i in range(grid.shape[1]):
        for j in range(grid.shape[2]):
            down = abs(min(max((y + 0.5) / 4 - 0.5, 0), grid.shape[1] - 1) - i)
            across = abs(min(max((x + 0.5) / 4 - 0.5, 0), grid.shape[2] - 1) - j)
            if down < 1 and across < 1:
                cell = grid[:, i, j] / np.linalg.norm(grid[:, i, j])
                best = max(float(cell @ each) for each in prototypes)
                total += (1 - down) * (1 - across) * best
    return total


def test_the_trail_tells_how_it_came_about(drawn: TaughtSet, model: Path) -> None:
    rows, trail = refined(kit(drawn, model), drawn)
    assert [step["name"] for step in trail[:3]] == ["teacher", "semantic", "fused"]
    assert len(trail) == 3 * len(rows)
    teacher, semantic, both = trail[:3]
    assert (teacher["proposal_id"], semantic["proposal_id"], both["proposal_id"]) == (0, None, None)
    assert teacher["score"] == 0.75
    assert 0 < semantic["score"] < 1
    assert 0.7 <= round(both["score"], 6) <= 0.8  # the threshold
    assert both["box"][0] >= teacher["box"][0]
    assert {step["note"] for step in trail} == {""}


def test_alpha_1_makes_no_map_and_needs_no_prototypes(drawn: TaughtSet, model: Path) -> None:
    before = len(EMBEDDED)
    alone = kit(drawn, None, alpha=1.0)
    rows, trail = refined(alone, drawn)
    assert (rows, trail) == refined(kit(drawn, model, alpha=1.0), drawn)
    assert len(EMBEDDED) == before
    assert {step["note"] for step in trail if step["name"] == "semantic"} == {"no map"}
    assert "fitted" not in sim.facts_of_method(alone)
    for row, one in zip(rows, all_objects(drawn), strict=True):
        foreground, ignored = mask_of(row)[one.part], mask_of(row, "ignore_rle")[one.part]
        assert (foreground == (one.chances > 0.7)).all()
        assert (ignored == ((one.chances >= 0.4) & (one.chances <= 0.7))).all()


def test_alpha_1_with_one_threshold_is_the_teacher_s_own_mask(drawn: TaughtSet) -> None:
    limits = {"mode": "fixed", "high": 0.5, "low": 0.5}
    rows, _ = refined(kit(drawn, None, alpha=1.0, thresholds=limits), drawn)
    teacher = [
        row for _, _, proposals, _ in tables(drawn).values() for row in proposals.to_pylist()
    ]
    for row, own in zip(rows, teacher, strict=True):
        assert (mask_of(row) != mask_of(own)).sum() <= 4  # 0.5 between two steps of a byte


def all_objects(drawn: TaughtSet) -> list[TaughtObject]:
    return [one for each in tables(drawn).values() for one in taught_objects(*each)]


def test_a_box_without_a_positive_has_no_mask_and_is_trained_by_its_box(
    drawn: TaughtSet, model: Path
) -> None:
    image, labels, proposals, scores = tables(drawn)[2]
    first, second = proposals.to_pylist()
    none = rows_table(PROPOSALS, [unanswered(first), second])
    for alpha in (0.5, 0.0):
        refiner = sim.opened_refiner(kit(drawn, model, alpha=alpha), lambda: CPU)
        rows, trail = (table.to_pylist() for table in refiner.labels(image, labels, none, scores))
        assert [row["mask_weight"] for row in rows] == [0, 1]
        assert not mask_of(rows[0]).any()
        assert (rows[0]["ignore_rle"], rows[0]["score"]) == (None, 0)
        assert rows[0]["box"] == labels.column("box").to_pylist()[0]
        assert [step["note"] for step in trail[:3]] == ["no positive", "", "empty"]
        assert [step["box"] for step in trail[:3]] == [None, None, None]


def test_a_class_without_prototypes_has_the_teacher_alone(
    drawn: TaughtSet, model: Path, tmp_path: Path
) -> None:
    known = load_prototypes(model, CLASSES)
    vectors = known.vectors.copy()
    vectors[0] = 0
    half = tmp_path / "half.pt"
    save_prototypes(half, Prototypes(vectors, known.counts, CLASSES), {})
    rows, trail = refined(kit(drawn, half), drawn)
    alone, _ = refined(kit(drawn, None, alpha=1.0), drawn)
    both, _ = refined(kit(drawn, model), drawn)
    assert [row for row in rows if row["category_id"] == 10] == [
        row for row in alone if row["category_id"] == 10
    ]
    assert [row for row in rows if row["category_id"] == 20] == [
        row for row in both if row["category_id"] == 20
    ]
    notes = [step["note"] for step in trail if step["name"] == "semantic"]
    assert notes == ["no map", ""] * 6


def test_masks_of_low_scores_are_not_trusted(drawn: TaughtSet, model: Path) -> None:
    plain, _ = refined(kit(drawn, model), drawn)
    middle = float(np.median([row["score"] for row in plain]))
    rows, trail = refined(kit(drawn, model, min_score=middle), drawn)
    for row, before in zip(rows, plain, strict=True):
        assert row == {**before, "mask_weight": float(before["score"] >= middle)}
    doubts = [step["note"] for step in trail if step["name"] == "fused"]
    assert sorted(set(doubts)) == ["", "low score"]


def one_object(chances: np.ndarray) -> TaughtObject:
    part = slice(0, chances.shape[0]), slice(0, chances.shape[1])
    return TaughtObject(5, 10, np.zeros(4), True, part, chances.astype(np.float32), {})


@pytest.mark.parametrize(
    ("chances", "semantic", "trusted"),
    [
        ([[0.0, 0.0]], [[1.0, 1.0]], False),
        ([[0.9, 0.1]], [[0.99, 0.01]], True),
        ([[0.3, 0.3]], None, False),
    ],
    ids=["nothing sure", "one pixel", "too unsure"],
)
def test_single_objects(chances: Any, semantic: Any, trusted: bool) -> None:
    keys = refine({}).sim
    grid = None if semantic is None else np.array(semantic)
    seen = corrected(one_object(np.array(chances)), grid, keys)
    assert seen.is_trusted == trusted
    assert (seen.score > 0) == trusted


def test_grids_are_those_of_each_class(drawn: TaughtSet, model: Path) -> None:
    known = load_prototypes(model, CLASSES)
    teacher = ColourTeacher()
    teacher.embed(np.random.default_rng(0).integers(0, 255, (30, 41, 3), dtype=np.uint8))
    classes = {number: rows for number in (10, 20) if (rows := known.of(number)) is not None}
    grids = similarity_grids(teacher, classes)
    assert set(grids) == {10, 20}
    features = unit_vectors(teacher.mask_features().reshape(4, -1).T)
    for number, grid in grids.items():
        assert grid.shape == (8, 11)
        wanted = semantic_probability(similarity(features, classes[number]))
        np.testing.assert_allclose(semantic_probability(grid).ravel(), wanted, atol=1e-6)


def test_prototypes_of_another_teacher_or_run_are_refused(
    drawn: TaughtSet, model: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.pt"
    save_prototypes(other, Prototypes(np.ones((3, 2, 7)), np.ones((3, 2)), CLASSES), {})
    with pytest.raises(ValueError, match=r"7 numbers each, but the teacher's features 4"):
        refined(kit(drawn, other), drawn)
    few = Kit(drawn.folder, (10,), propose(), Select(), refine=refine({}), model=model)
    with pytest.raises(ValueError, match="others"):
        sim.opened_refiner(few, lambda: CPU)


def test_a_kit_tells_what_the_labels_depend_on(drawn: TaughtSet, model: Path) -> None:
    facts = sim.facts_of_method(kit(drawn, model))
    assert facts["fitted"] == sha256_of(model)
    assert facts["asked_sha256"] == sha256_of(drawn.folder / "teacher.pt")
    assert "torch" in facts["packages"]
    with pytest.raises(ValueError, match=r"needs --model and --propose-model.*alpha: 1"):
        sim.facts_of_method(kit(drawn, None))
