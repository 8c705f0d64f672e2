"""inspect: works on whatever stages are done and for labels of any kind, and changes nothing."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stages import inspect
from stages.geometry.masks import masks_to_rles
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.prompts import PROMPTS
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.selections import SELECTIONS
from stages.tables.trail import TRAIL
from stages.tables.weak_labels import WEAK_LABELS
from tests.sound_rows import (
    Row,
    category_row,
    image_row,
    label_row,
    prompt_row,
    proposal_row,
    pseudo_label_row,
    selection_row,
    tag_row,
    trail_row,
    write_rows,
)

SHARD = "shard-0000-of-0001.parquet"
POINT = label_row(4, 7, x=5.0, y=6.0)
NO_POINT: Row = {"x": None, "y": None}


def rectangle(x1: int) -> Row:
    """Keys of a mask from column 3 to `x1`, rows 2 to 12."""
    mask = np.zeros((1, 20, 30), dtype=np.uint8)
    mask[0, 2:12, 3:x1] = 1
    return {"rle": masks_to_rles(mask)[0]["counts"], "box": [3.0, 2.0, float(x1), 12.0]}


def sized(x1: int) -> Row:
    return {**rectangle(x1), "height": 20, "width": 30}


def bag(instance: int = 7, **changes: Any) -> list[Row]:
    return [
        proposal_row(4, instance, k, mask_index=k, area=(x1 - 3) * 10, **sized(x1), **changes)
        for k, x1 in enumerate((9, 25))
    ]


def prepared(home: Path, labels: list[Row] | None = None) -> Path:
    """A photograph and its labels in `home`, which is the run in a plain layout."""
    folder = home / "partworld" / "train" / "images"
    folder.mkdir(parents=True)
    Image.new("RGB", (30, 20), (90, 90, 90)).save(folder / "a.png")
    digest = hashlib.sha256((folder / "a.png").read_bytes()).hexdigest()
    image = image_row(4, file_name="a.png", height=20, width=30, digest=digest)
    write_rows(home / "prepare" / "images.parquet", IMAGES, [image])
    classes = [category_row(1, name="$<b>dog"), category_row(2, name="cat")]
    write_rows(home / "prepare" / "categories.parquet", CATEGORIES, classes)
    write_rows(home / "prepare" / "weak_labels.parquet", WEAK_LABELS, labels or [POINT])
    return home


def proposed(run: Path) -> Path:
    write_rows(prepared(run) / "propose" / SHARD, PROPOSALS, bag())
    return run


def chosen_in(home: Path) -> Path:
    """Select's and refine's tables about the point: the first was selected, the second chosen."""
    scores = [selection_row(4, 7, k, score=0.3, selected=k == 0) for k in (0, 1)]
    write_rows(home / "select" / SHARD, SELECTIONS, scores)
    steps = [
        trail_row(4, 7, 0, box=[3, 2, 9, 12]),
        trail_row(4, 7, 1, name="prm", box=[3, 2, 24, 12], score=0.2),
        trail_row(4, 7, 2, name="prm_bms", proposal_id=1, score=None, note="overlap"),
    ]
    write_rows(home / "refine" / "trail-0000-of-0001.parquet", TRAIL, steps)
    row = pseudo_label_row(4, 7, proposal_id=1, **sized(25))
    write_rows(home / "refine" / SHARD, PSEUDO_LABELS, [row])
    return home


def refined(run: Path) -> Path:
    chosen_in(proposed(run) / "sapnet")
    return run


STATES = {
    "prepared": (prepared, "no proposals yet"),
    "proposed": (proposed, "point[0]"),
    "refined": (refined, "chosen: proposal 1; mask: proposal, quality 0.750, weight 1"),
}


@pytest.mark.parametrize(("make", "said"), STATES.values(), ids=STATES.keys())
def test_inspect_works_on_the_stages_that_are_done(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], Path],
    said: str,
) -> None:
    run = make(tmp_path / "run")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    inspect.main([str(run), "--image", "4"])
    shown = capsys.readouterr().out
    assert said in shown
    assert "instance 7: $<b>dog, point (5.0, 6.0)" in shown
    with Image.open(run / "inspect" / "image-4.png") as picture:
        assert picture.width > 100
        assert picture.convert("RGB").getextrema() != ((255, 255),) * 3
    assert all(path.read_bytes() == data for path, data in before.items())


def test_inspect_marks_both_choices_and_tells_the_steps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inspect.main([str(refined(tmp_path / "run")), "--image", "4"])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("  s  0") for line in lines)
    assert any(line.startswith("  >  1") for line in lines)
    steps = [line.split() for line in lines if line.startswith(("    psm", "    prm"))]
    assert [step[0] for step in steps] == ["psm", "prm", "prm_bms"]
    assert steps[2][-1] == "overlap"


def mixed(run: Path) -> Path:
    """A point, a box, a given mask, one that corrects a point, a deleted point and tags."""
    mask = {"kind": "mask", **NO_POINT, **rectangle(20)}
    labels = [
        POINT,
        label_row(4, 8, kind="box", **NO_POINT, box=[4.0, 2.0, 20.0, 18.0]),
        label_row(4, 9, **mask),
        label_row(4, 10, x=20.0, y=15.0),
        label_row(4, 11, **mask, **{"instance_id": 10, "bag_id": 10, "status": "corrected"}),
        label_row(4, 12, x=2.0, y=3.0, status="deleted"),
        tag_row(4, 13, category_id=2),
    ]
    prepared(run, labels)
    rows = [
        *bag(),
        *bag(8, prompt_kind="box"),
        *bag(10, prompt_kind="mirrored_boxes", derived=2),
    ]
    write_rows(run / "propose" / SHARD, PROPOSALS, rows)
    given = {"mask_source": "given", "proposal_id": None, **sized(20)}
    results = [
        pseudo_label_row(4, -1, label_ids=[13], category_id=2, **sized(28)),
        pseudo_label_row(4, 7, **sized(9)),
        pseudo_label_row(4, 8, box_given=True, **{**sized(25), "box": [4.0, 2.0, 20.0, 18.0]}),
        pseudo_label_row(4, 9, **given),
        pseudo_label_row(4, 10, label_ids=[10, 11], **given),
    ]
    write_rows(run / "sapnet" / "refine" / SHARD, PSEUDO_LABELS, results)
    (run / "sapnet" / "select").mkdir()
    return run


def test_labels_of_every_kind_are_told_and_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inspect.main([str(mixed(tmp_path / "run")), "--image", "4"])
    shown = capsys.readouterr().out
    for line in (
        "tags: cat",
        "instance -1: cat, tag",
        "instance 8: $<b>dog, box (4.0, 2.0, 20.0, 18.0)",
        "instance 9: $<b>dog, mask of 170 px",
        "instance 10: $<b>dog, point (20.0, 15.0), mask of 170 px (corrected)",
        "instance 12: $<b>dog, point (2.0, 3.0) (deleted)",
        "mirrored_boxes[0.2]",
        "box 4.0, 2.0, 20.0, 18.0 (given)",
        "chosen: no proposal; mask: given",
    ):
        assert line in shown
    with Image.open(tmp_path / "run" / "inspect" / "image-4.png") as picture:
        red = np.asarray(picture.convert("RGB")).astype(int)
        assert ((red[..., 0] > 200) & (red[..., 1] < 60) & (red[..., 2] < 60)).sum() > 100


def test_the_files_of_a_variant_are_found_by_its_homes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Variant b shares the data of its seed, has proposals of its own, and takes choices of a."""
    run = tmp_path / "run"
    seed = prepared(run / "seed-1")
    write_rows(seed / "b" / "propose" / SHARD, PROPOSALS, bag())
    chosen_in(seed / "a")
    shared = {"partworld": "demo/seed-1", "prepare": "demo/seed-1"}
    homes = {
        "demo/seed-1/a": {**shared, "propose": "demo/seed-1"},
        "demo/seed-1/b": {
            **shared,
            "propose": "demo/seed-1/b",
            "select": "demo/seed-1/a",
            "refine": "demo/seed-1/a",
        },
    }
    (run / "homes.json").write_text(json.dumps(homes))
    inspect.main([str(run), "--image", "4", "--variant", "seed-1/b"])
    assert "  >  1" in capsys.readouterr().out
    inspect.main([str(run), "--image", "4"])  # b has come furthest
    assert "  >  1" in capsys.readouterr().out
    inspect.main([str(run), "--image", "4", "--variant", "seed-1/a"])
    assert "  >  1" not in capsys.readouterr().out


def peak(number: int, kind: str, points: list[list[float]], **more: Any) -> Row:
    signs = {"point_signs": [1] * len(points)}
    return prompt_row(4, -1, prompt_id=number, kind=kind, points=points, **signs, **more)


def tagged(run: Path, *, done: int = 3) -> Path:
    """An image with two tags after prompt, propose and select, or after the first `done` of them.

    The best dog was moved, the cat is the empty proposal's, which is not told.
    """
    prepared(run, [tag_row(4, 12), tag_row(4, 13, category_id=2)])
    if done >= 1:
        rows = [
            peak(0, "grid", [[5.0, 5.0], [15.0, 5.0]], category_id=None),
            peak(1, "peak", [[6.0, 6.0]], category_id=1, value=0.75, source_map="coarse"),
            peak(2, "peak", [[20.0, 8.0]], category_id=None, value=1.0, source_map="cross"),
            peak(3, "peaks", [[6.0, 6.0]], category_id=1, source_map="coarse"),
        ]
        write_rows(run / "prompt" / SHARD, PROMPTS, rows)
    if done >= 2:
        facts = {"prompt_kind": "peak", "prompt_id": 1}
        rows = [
            proposal_row(4, -1, 0, prompt_kind="grid", **sized(9)),
            proposal_row(4, -1, 1, **facts, **sized(25)),
            proposal_row(4, -1, 2, **facts, **{**sized(25), "valid": False}),
        ]
        write_rows(run / "propose" / SHARD, PROPOSALS, rows)
    if done >= 3:
        choices = [
            selection_row(4, -1, 0, score=0.25, selected=False, bag_score=0.875),
            selection_row(4, -1, 1, score=0.9, bag_score=0.875, box=[4.0, 2.0, 24.0, 12.0]),
            selection_row(4, -1, 1, category_id=2, score=0.5, score_cls=None),
        ]
        write_rows(run / "sapnet" / "select" / SHARD, SELECTIONS, choices)
    return run


def born(run: Path) -> Path:
    """The same after refine: a dog with the segmenter's answer to its box."""
    home = tagged(run) / "sapnet" / "refine"
    steps = [
        trail_row(4, -1, 0, name="wsod", proposal_id=1, score=0.9),
        trail_row(4, -1, 1, name="pgt", proposal_id=None, score=1.0, note="kept"),
    ]
    write_rows(home / "trail-0000-of-0001.parquet", TRAIL, steps)
    facts = {"label_ids": [12], "mask_source": "box_prompt", "proposal_id": 1}
    write_rows(home / SHARD, PSEUDO_LABELS, [pseudo_label_row(4, -1, **facts, **sized(20))])
    return run


TOLD = {  # stages that are done: lines that are there
    0: ["tags: $<b>dog, cat"],
    1: [
        "prompts: 1 grids, 1 joint prompts, 2 peaks",
        "    peak of cross 1.000  (20.0, 8.0)      any",
        "    peak of coarse 0.750  (6.0, 6.0)       $<b>dog",
        "    grid: 2 points",
        "    peaks of coarse: 1 points  $<b>dog",
    ],
    2: ["proposals: 2 (1 grid, 1 peak)"],
    3: [
        "detections of $<b>dog: 2 scored, 1 selected, the image's score 0.875",
        "  s    1  0.900  0.500  0.500  4.0, 2.0, 24.0, 12.0 (moved)",
        "       0  0.250  0.500  0.500  3.0, 2.0, 9.0, 12.0",
        "detections of cat: 1 scored, 1 selected, the image's score 0.500",
        "  s    1  0.500  -----  0.500  3.0, 2.0, 25.0, 12.0",
    ],
}


@pytest.mark.parametrize("done", TOLD)
def test_tags_are_told_and_drawn_after_every_stage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], done: int
) -> None:
    run = tagged(tmp_path / "run", done=done)
    inspect.main([str(run), "--image", "4"])
    lines = capsys.readouterr().out.splitlines()
    for step, wanted in TOLD.items():
        for line in wanted:
            assert (line in lines) == (step <= done), line
    with Image.open(run / "inspect" / "image-4.png") as picture:
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 10


def test_maps_are_drawn_where_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tagged(tmp_path / "run")
    heights = []
    for words in ([], ["--maps", "model.pt"]):
        monkeypatch.setattr(
            "stages.methods.shown_maps.shown_maps",
            lambda *args, **more: {f"coarse: {more['model']}": np.ones((3, 4), dtype=np.float32)},
        )
        inspect.main([str(run), "--image", "4", *words])
        with Image.open(run / "inspect" / "image-4.png") as picture:
            heights.append(picture.height)
    assert heights[1] > heights[0] + 200  # a row of panels more


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (prepared, "--maps: the image has no tags"),
        (lambda run: tagged(run, done=0), "--maps: the run has no table of prompts"),
    ],
)
def test_maps_that_were_never_looked_at_are_refused(
    tmp_path: Path, make: Callable[[Path], Path], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        inspect.main([str(make(tmp_path / "run")), "--image", "4", "--maps"])


def test_what_was_born_of_a_tag_is_told_with_the_proposal_that_it_started_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inspect.main([str(born(tmp_path / "run")), "--image", "4"])
    lines = capsys.readouterr().out.splitlines()
    place = lines.index("instance -1: $<b>dog, tag")
    assert lines[place + 2].startswith("  >  1  peak[1]")
    assert lines[place + 2].endswith("0.900")
    assert [line.split()[0] for line in lines[place + 3 : place + 5]] == ["wsod", "pgt"]
    assert "chosen: proposal 1; mask: box_prompt" in lines[place + 5]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--image", "5"], "no image 5"),
        ([], "the first images are 4"),
        (["--image", "b.png"], "no image b.png among the 1 of this run"),
        (["--image", "4", "--variant", "none"], r"no variant 'none' there\. Name one of sapnet"),
        (["--image", "4", "--image-folder", "nowhere"], "no such folder. Correct --image-folder"),
        (["--annotation", "5"], "--annotation 5: there is none of that id"),
        (["--annotation", "-1"], "ids below 0 are counted within each image"),
        (["--image", "4", "--annotation", "-1"], r"image 4 has no instance -1; it has 7 \("),
        (["--image", "4", "--class", "dog"], r"no class has that name. Take one of \$<b>dog"),
        (["--image", "4", "--class", "cat"], "image 4 has no instance of that class; it has 7"),
        (["--image", "4", "--worst", "2"], "--worst is about all images"),
    ],
)
def test_inspect_refuses(tmp_path: Path, words: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        inspect.main([str(refined(tmp_path / "run")), *words])


def test_ranking_needs_labels(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--worst: refine is not done yet"):
        inspect.main([str(proposed(tmp_path / "run")), "--worst", "2"])


def test_a_count_of_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        inspect.main(["run", "--worst", "0"])
    assert "'0' is no number of labels, such as 20" in capsys.readouterr().err


def test_inspect_refuses_another_photograph_of_that_name(tmp_path: Path) -> None:
    run = refined(tmp_path / "run")
    Image.new("RGB", (30, 20), (9, 9, 9)).save(run / "partworld" / "train" / "images" / "a.png")
    with pytest.raises(ValueError, match="the photograph was replaced"):
        inspect.main([str(run), "--image", "4"])


def test_an_image_is_asked_for_by_name_or_annotation_as_by_id(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(refined(tmp_path / "run"))
    told = []
    asked = [["--image", "4"], ["--image", "a.png"], ["--image", "4", "--class", "$<b>dog"]]
    for words in (*asked, ["--annotation", "7"]):
        inspect.main([run, *words, "--no-picture"])
        told.append(capsys.readouterr().out)
    assert told == told[:1] * len(told)


def test_one_object_is_told_and_drawn_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = mixed(tmp_path / "run")
    inspect.main([str(run), "--annotation", "8"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines if line.startswith("instance")] == ["instance 8"]
    assert (run / "inspect" / "image-4-instance-8.png").is_file()
    inspect.main([str(run), "--annotation", "11", "--no-picture"])  # what corrects a point
    assert "instance 10: " in capsys.readouterr().out
    inspect.main([str(run), "--image", "4", "--annotation", "-1", "--no-picture"])
    shown = capsys.readouterr().out
    assert "instance -1: cat, tag" in shown
    assert "tags: cat" in shown


def test_a_class_leaves_the_others_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inspect.main([str(mixed(tmp_path / "run")), "--image", "4", "--class", "cat", "--no-picture"])
    shown = capsys.readouterr().out
    assert "tags: cat" in shown
    assert "instance -1" in shown
    assert "instance 7" not in shown


def many(run: Path) -> Path:
    """Labels of three images in two shards, of which one is there."""
    prepared(run)
    names = {number: f"{number}.png" for number in (4, 5, 6)}
    images = [image_row(n, file_name=name) for n, name in names.items()]
    write_rows(run / "prepare" / "images.parquet", IMAGES, images)
    rows = [
        pseudo_label_row(4, 7, mask_quality=0.5),
        pseudo_label_row(4, 8, mask_quality=0.25, category_id=2),
        pseudo_label_row(5, 1, mask_quality=0.5),
        pseudo_label_row(6, 2, mask_quality=0.75),
    ]
    path = run / "sapnet" / "refine" / "shard-0000-of-0002.parquet"
    write_rows(path, PSEUDO_LABELS, rows)
    (run / "sapnet" / "select").mkdir()
    return run


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--worst", "3"], [(4, 8), (4, 7), (5, 1)]),
        (["--worst", "9"], [(4, 8), (4, 7), (5, 1), (6, 2)]),
        (["--worst", "1", "--class", "$<b>dog"], [(4, 7)]),
    ],
    ids=["some", "all", "of a class"],
)
def test_the_most_doubtful_come_first_a_line_each(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    wanted: list[tuple[int, int]],
) -> None:
    run = many(tmp_path / "run")
    inspect.main([str(run), *words, "--no-picture"])
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split()[-3:] for line in lines if line.endswith(".png")]
    assert rows == [[str(i), str(n), f"{i}.png"] for i, n in wanted]
    assert lines[0].endswith("of the 1 of 2 shards that are there yet")
    assert not (run / "inspect").exists()


def test_a_list_draws_its_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = refined(tmp_path / "run")
    inspect.main([str(run), "--worst", "2"])
    assert "the 1 most doubtful of 1 labels" in capsys.readouterr().out
    assert (run / "inspect" / "image-4-instance-7.png").is_file()


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (prepared, "not there yet: propose, select, refine, grade"),
        (proposed, "not there yet: select, refine, grade"),
        (refined, "not there yet: grade"),
    ],
)
def test_what_is_not_done_yet_is_told(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], Path],
    line: str,
) -> None:
    inspect.main([str(make(tmp_path / "run")), "--image", "4", "--no-picture"])
    lines = capsys.readouterr().out.splitlines()
    assert [text for text in lines if text.startswith("not there yet")] == [line]


def test_a_shard_that_is_missing_is_told_and_the_rest_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = refined(tmp_path / "run")
    path = run / "sapnet" / "select" / SHARD
    path.rename(path.with_name("shard-0001-of-0002.parquet"))  # image 4 is in the other one
    inspect.main([str(run), "--image", "4", "--no-picture"])
    shown = capsys.readouterr().out
    assert "not there yet: shard 0000-of-0002 of select" in shown
    assert "chosen: proposal 1" in shown


def test_the_legend_says_what_every_column_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inspect.main([str(refined(tmp_path / "run")), "--image", "4", "--no-picture"])
    table, legend = capsys.readouterr().out.split("\nlegend\n")
    heads = next(line for line in table.splitlines() if line.endswith("  S")).split()
    told = {word.strip(",") for line in legend.splitlines() for word in line[2:12].split()}
    assert set(heads) <= told


def test_own_photographs_are_found_where_planning_noted_them(tmp_path: Path) -> None:
    run = refined(tmp_path / "results" / "run")
    (run / "partworld" / "train" / "images").rename(tmp_path / "own")
    with pytest.raises(ValueError, match="where its photographs are is not noted there"):
        inspect.main([str(run), "--image", "4"])
    (run / "photographs.json").write_text(json.dumps({"train": "own"}))
    inspect.main([str(run), "--image", "4"])
    assert (run / "inspect" / "image-4.png").is_file()
