"""Prototypes are made of the teacher's sure pixels, and a cut run ends with the same bytes."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.learning import prototype_fitting
from stages.learning.model_file import load_model
from stages.learning.prototype_fitting import facts_of_fit, fitted
from stages.learning.prototype_model import Prototypes, load_prototypes
from stages.runtime.provenance import sha256_of
from stages.segmenters.segmenter import SEGMENTERS
from stages.tables.headers import read_header
from stages.tables.proposals import PROPOSALS
from stages.tables.table import read_table, write_table
from tests.colour_teacher import EMBEDDED, ColourTeacher
from tests.taught_set import (
    NAME,
    SMALL,
    TEACHER,
    TaughtSet,
    build_taught_set,
    log_of,
    propose,
    refine,
)

CLASSES = [10, 20, 30]


@pytest.fixture(autouse=True)
def _teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SEGMENTERS, NAME, TEACHER)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> TaughtSet:
    return build_taught_set(tmp_path_factory.mktemp("taught"))


def fit(drawn: TaughtSet, out: Path, *, seed: int = 0, chunk: int = 2, **block: Any) -> bytes:
    section = refine({**SMALL, **block}, chunk=chunk)
    fitted(drawn.args(out, seed=seed), propose(), section, {"stage": "stages.fit_refine"})
    return out.read_bytes()


def found(out: Path) -> Prototypes:
    return load_prototypes(out, CLASSES)


def test_model_and_log_are_complete(drawn: TaughtSet, tmp_path: Path) -> None:
    fit(drawn, tmp_path / "model.pt", passes=2)
    assert {path.name for path in tmp_path.iterdir()} == {"model.pt", "model.jsonl"}
    assert load_model(tmp_path / "model.pt")[1] == {"stage": "stages.fit_refine"}
    seen = found(tmp_path / "model.pt")
    assert seen.vectors.shape == (3, 3, 4)
    np.testing.assert_allclose(np.linalg.norm(seen.vectors[:2], axis=-1), 1, atol=1e-6)
    assert not seen.vectors[2].any()  # of class 30 there is no object
    log = log_of(tmp_path / "model.pt")
    assert [(line["pass"], line["update"]) for line in log] == [
        (0, "start"),
        (1, "ema"),
        (2, "ema"),
    ]
    assert log[0]["pixels"] <= 4 * 2 * 12
    for line in log[1:]:
        assert (line["images"], line["classes"], line["prototypes"]) == (6, 2, 6)
        assert line["pixels"] == seen.counts.sum()
        assert line["likeness"] > 0.9
        assert line["moved"] < 1e-3


def test_prototypes_have_the_colour_of_their_class(drawn: TaughtSet, tmp_path: Path) -> None:
    fit(drawn, tmp_path / "model.pt")
    red, blue = found(tmp_path / "model.pt").vectors[:2]
    assert (red[:, 0] > 0.5).all()
    assert (blue[:, 2] > 0.5).all()
    assert (red @ blue.T < 0).all()


@pytest.mark.parametrize("update", ["ema", "mean"])
def test_passes_move_prototypes_as_they_say(drawn: TaughtSet, tmp_path: Path, update: str) -> None:
    start = {"images": 1, "pixels": 3, "passes": 0}
    keys: dict[str, Any] = {"start": start, "update": update, "gamma": 0.9}
    fit(drawn, tmp_path / "start.pt", **keys, passes=0)
    fit(drawn, tmp_path / "once.pt", **keys)
    fit(drawn, tmp_path / "thrice.pt", **keys, passes=3)
    log = log_of(tmp_path / "thrice.pt")
    assert log[1]["moved"] > 0
    assert log[3]["likeness"] > log[1]["likeness"]
    first, once = (found(tmp_path / f"{name}.pt").vectors for name in ("start", "once"))
    assert not np.allclose(first[:2], once[:2])
    assert not found(tmp_path / "start.pt").counts.any()


def test_equal_seeds_give_equal_bytes_and_others_do_not(drawn: TaughtSet, tmp_path: Path) -> None:
    first = fit(drawn, tmp_path / "first.pt")
    assert fit(drawn, tmp_path / "chunks.pt", chunk=100) == first
    assert fit(drawn, tmp_path / "other.pt", seed=1) != first


def test_shards_do_not_matter(drawn: TaughtSet, tmp_path: Path) -> None:
    one = build_taught_set(tmp_path / "one", shards=1)
    assert fit(one, tmp_path / "one.pt") == fit(drawn, tmp_path / "two.pt")


@pytest.mark.parametrize("at", range(0, 16, 3))
def test_a_killed_fitting_ends_with_the_same_bytes(
    drawn: TaughtSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """4 images at the start, 6 in each of two passes: 16 looks, of which a kill loses a part."""
    wanted = fit(drawn, tmp_path / "whole.pt", passes=2)
    looks = len(EMBEDDED)

    def cut(self: ColourTeacher, pixels: np.ndarray) -> None:
        if len(EMBEDDED) - looks == at:
            raise KeyboardInterrupt
        whole(self, pixels)

    whole = ColourTeacher.embed
    monkeypatch.setattr(ColourTeacher, "embed", cut)
    with pytest.raises(KeyboardInterrupt):
        fit(drawn, tmp_path / "killed.pt", passes=2)
    assert not (tmp_path / "killed.pt").exists()
    monkeypatch.setattr(ColourTeacher, "embed", whole)
    before = len(EMBEDDED)
    assert fit(drawn, tmp_path / "killed.pt", passes=2) == wanted
    needed = sample_size(drawn) + 12
    assert len(EMBEDDED) - before <= needed - at + 1  # parts of 2 images: one look is lost at most
    assert log_of(tmp_path / "killed.pt") == log_of(tmp_path / "whole.pt")
    assert {path.suffix for path in tmp_path.iterdir()} == {".pt", ".jsonl"}


def sample_size(drawn: TaughtSet) -> int:
    args = drawn.args(Path("unused.pt"))
    sources = prototype_fitting.opened_sources(args)
    keys = refine(SMALL).sim
    return len(prototype_fitting.sampled_images(sources.classes_of, CLASSES, keys, seed=0))


def changed(drawn: TaughtSet, folder: Path, **columns: Any) -> TaughtSet:
    """The same set with other values in columns of `proposals`."""
    shutil.copytree(drawn.folder, folder)
    copy = TaughtSet(folder, drawn.truth, drawn.shards)
    for path in copy.files("proposals"):
        header = read_header(path)
        rows = read_table(path, PROPOSALS).to_pylist()
        table = PROPOSALS.schema.empty_table().from_pylist(
            [{**row, **columns} for row in rows], schema=PROPOSALS.schema
        )
        facts = {key: header[key] for key in ("seed", "shard")}
        write_table(path, table, PROPOSALS, facts)
    return copy


def test_a_teacher_that_is_sure_of_nothing_leaves_classes_without_prototypes(
    drawn: TaughtSet, tmp_path: Path
) -> None:
    nothing = changed(drawn, tmp_path / "nothing", soft=None, valid=False)
    before = len(EMBEDDED)
    fit(nothing, tmp_path / "model.pt")
    assert len(EMBEDDED) == before  # no image was looked at in vain
    seen = found(tmp_path / "model.pt")
    assert not seen.known().any()
    assert log_of(tmp_path / "model.pt")[1]["pixels"] == 0


def test_masks_without_probabilities_are_refused(drawn: TaughtSet, tmp_path: Path) -> None:
    hard = changed(drawn, tmp_path / "hard", soft=None)
    with pytest.raises(ValueError, match=r"column soft.*Set propose\.segmenter: sim"):
        fit(hard, tmp_path / "model.pt")


def test_a_shard_that_is_missing_is_told(drawn: TaughtSet, tmp_path: Path) -> None:
    args = drawn.args(tmp_path / "model.pt")
    args.proposals = args.proposals[:1]
    with pytest.raises(ValueError, match="bags are missing"):
        fitted(args, propose(), refine(SMALL), {})


def test_other_teachers_give_other_facts(drawn: TaughtSet, tmp_path: Path) -> None:
    facts = facts_of_fit(drawn.args(tmp_path / "model.pt"), propose())
    assert facts["model_sha256"] == sha256_of(drawn.folder / "teacher.pt")
    assert {"torch", "numpy"} <= set(facts["packages"])
    args = drawn.args(tmp_path / "model.pt")
    args.propose_model = None
    with pytest.raises(ValueError, match="needs --model"):
        facts_of_fit(args, propose())
